import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { HttpService } from '@nestjs/axios';
import type { DynamicModule } from '@nestjs/common';
import axios, { create, isAxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import { GatewayException } from '../http/index.js';
import { BackendTimeoutException, BackendUnavailableException } from './backend.exceptions.js';
import {
  createAdapter,
  Deadline,
  DEADLINE,
  deadlineOf,
  toPlainHeaders,
  type ConfigOfCall,
} from './transport/axios-adapter.js';
import { BACKEND_HTTP, type BackendHttp } from './backend-http.js';
import {
  BACKEND_OPTIONS,
  backendLimits,
  type BackendModuleOptions,
} from './backend.module-definition.js';
import { BackendTransport } from './transport/backend-transport.js';
import type { BackendRequest, BackendResponse, StreamedResponse } from './transport/exchange.js';

/**
 * The `HttpService` of `BackendModule`: axios over {@link BackendTransport}.
 *
 * Code has to read {@link axiosRef} to add an interceptor, change a default or replace a method of axios. Before the
 * first read, axios would pass a request of `BackendClient` on unchanged, so the request goes to the transport
 * directly: -36 % CPU of `POST /token`, -40 % of a GET (bench/README.md, 2026-11-27). `test/backend-seam.e2e-spec.ts`
 * compares the bytes that arrive.
 */
export class BackendHttpService extends HttpService implements BackendHttp {
  private mayBeCustomized = false;

  /** @param timeoutMs deadline of one call in milliseconds, interceptors and their retries included */
  constructor(
    private readonly transport: BackendTransport,
    private readonly timeoutMs: number,
  ) {
    super(createAxios(transport));
  }

  override get axiosRef(): AxiosInstance {
    this.mayBeCustomized = true;
    return super.axiosRef;
  }

  /** Sends a request of `BackendClient`; see {@link sendByAxios} for what it throws. */
  send(request: BackendRequest): Promise<BackendResponse> {
    return this.mayBeCustomized
      ? sendByAxios(this.axiosRef, request, this.timeoutMs)
      : this.transport.send(request);
  }

  /** Like {@link send}, but the body of the response is a stream. Interceptors get it as a whole. */
  async open(request: BackendRequest): Promise<StreamedResponse> {
    return this.mayBeCustomized
      ? asStream(await sendByAxios(this.axiosRef, request, this.timeoutMs))
      : this.transport.open(request);
  }
}

/** Sends by another `HttpService`, with which a test may have replaced ours. */
const overAnyService = ({ axiosRef }: HttpService, timeoutMs: number): BackendHttp => ({
  send: (request) => sendByAxios(axiosRef, request, timeoutMs),
  open: async (request) => asStream(await sendByAxios(axiosRef, request, timeoutMs)),
});

/** The providers of `BackendModule` that need axios. They are in this file, as axios is loaded with this file only. */
export const httpProviders: Pick<DynamicModule, 'providers' | 'exports'> = {
  providers: [
    {
      provide: HttpService,
      inject: [BackendTransport, BACKEND_OPTIONS],
      useFactory: (transport: BackendTransport, options: BackendModuleOptions) =>
        new BackendHttpService(transport, backendLimits(options).timeoutMs),
    },
    {
      provide: BACKEND_HTTP,
      inject: [HttpService, BACKEND_OPTIONS],
      useFactory: (service: HttpService, options: BackendModuleOptions): BackendHttp =>
        service instanceof BackendHttpService
          ? service
          : overAnyService(service, backendLimits(options).timeoutMs),
    },
  ],
  exports: [HttpService],
};

/** Converts a complete response to a response whose body is a stream. */
function asStream({ status, headers, body }: BackendResponse): StreamedResponse {
  if (body.length === 0) return { status, headers, body: Readable.from([]) };
  const length = { 'content-length': String(body.length) };
  return { status, headers: { ...headers, ...length }, body: Readable.from([body]) };
}

/**
 * Sends a request through the interceptors and defaults of axios.
 *
 * @param timeoutMs deadline for all of it, in milliseconds
 * @returns the response, also if its status made it an error for the interceptors
 * @throws GatewayException of the transport, or the error of an interceptor
 */
async function sendByAxios(
  instance: AxiosInstance,
  { origin, path, method, headers, body }: BackendRequest,
  timeoutMs: number,
): Promise<BackendResponse> {
  // Interceptors get the body as a whole, and may send it again.
  const data = body instanceof Readable ? await buffer(body) : body;
  const deadline = new Deadline(timeoutMs);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(new BackendTimeoutException(`no complete answer of ${origin} within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const config: ConfigOfCall = {
    baseURL: origin,
    url: path,
    method,
    headers,
    data,
    [DEADLINE]: deadline,
  };
  try {
    return toBackendResponse(await Promise.race([instance.request(config), late]));
  } catch (error) {
    // An interceptor may also call other servers. Their answers are not the backend's answer.
    if (!isAxiosError(error) || deadlineOf(error.config) !== deadline) throw error;
    if (error.response !== undefined) return toBackendResponse(error.response);
    throw error.cause instanceof GatewayException
      ? error.cause
      : new BackendUnavailableException(`the request was given up (${error.code})`);
  } finally {
    clearTimeout(timer);
    // From now on the adapter sends no further attempt of an interceptor for this call.
    deadline.end();
  }
}

/** Converts objects to JSON or forms, and keeps bytes. It is read here, before an application can change it. */
const { transformRequest } = axios.defaults;

function createAxios(transport: BackendTransport): AxiosInstance {
  const instance = create();
  // An application's `axios.defaults` are for other servers, and may hold credentials for them.
  for (const name of Object.keys(instance.defaults))
    Reflect.deleteProperty(instance.defaults, name);
  Object.assign(instance.defaults, {
    adapter: createAdapter(transport),
    allowAbsoluteUrls: true,
    headers: { common: {}, delete: {}, get: {}, head: {}, patch: {}, post: {}, put: {} },
    responseType: 'arraybuffer',
    transformRequest,
    validateStatus: (status: number) => status >= 200 && status < 300,
  });
  return instance;
}

/** Converts a response of axios, whose body an interceptor may have changed to a text or a value. */
function toBackendResponse(response: AxiosResponse<unknown>): BackendResponse {
  if (typeof response?.status !== 'number')
    throw new TypeError('BackendModule: an interceptor of HttpService returned no response');
  const { status, data } = response;
  const headers = toPlainHeaders(response.headers);
  if (Buffer.isBuffer(data)) return { status, headers, body: data };
  delete headers['content-encoding'];
  const text = typeof data === 'string' ? data : (JSON.stringify(data) ?? '');
  return { status, headers, body: Buffer.from(text) };
}
