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
 * Nobody can add an interceptor, change a default or replace a method of axios without reading
 * {@link axiosRef}. Until somebody does, axios would pass a request of `BackendClient` on as it is, so
 * it goes to the transport directly: -36 % CPU of `POST /token`, -40 % of a GET (bench/README.md,
 * 2026-11-27). `test/backend-seam.e2e-spec.ts` compares the bytes that arrive.
 */
export class BackendHttpService extends HttpService implements BackendHttp {
  private mayBeCustomized = false;

  /** @param timeoutMs of one call, interceptors and their retries included */
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

  /** The same, where the body of the response is read while it comes. Interceptors see it as a whole. */
  async open(request: BackendRequest): Promise<StreamedResponse> {
    return this.mayBeCustomized
      ? asStream(await sendByAxios(this.axiosRef, request, this.timeoutMs))
      : this.transport.open(request);
  }
}

/** A test may have put another `HttpService` in the place of ours. */
const overAnyService = ({ axiosRef }: HttpService, timeoutMs: number): BackendHttp => ({
  send: (request) => sendByAxios(axiosRef, request, timeoutMs),
  open: async (request) => asStream(await sendByAxios(axiosRef, request, timeoutMs)),
});

/** What `BackendModule` provides by axios. It stands here, as axios is loaded with this file only. */
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

/** A response that is here, as one that is still coming. */
function asStream({ status, headers, body }: BackendResponse): StreamedResponse {
  if (body.length === 0) return { status, headers, body: Readable.from([]) };
  const length = { 'content-length': String(body.length) };
  return { status, headers: { ...headers, ...length }, body: Readable.from([body]) };
}

/**
 * Sends a request by way of interceptors and defaults.
 *
 * @param timeoutMs for everything together
 * @returns the response, also where its status made it an error for the interceptors
 * @throws GatewayException of the transport; whatever an interceptor throws
 */
async function sendByAxios(
  instance: AxiosInstance,
  { origin, path, method, headers, body }: BackendRequest,
  timeoutMs: number,
): Promise<BackendResponse> {
  // Interceptors see a body as a whole, and may send it again.
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
    // An interceptor may talk to other servers, too; what they answer is not the backend's answer.
    if (!isAxiosError(error) || deadlineOf(error.config) !== deadline) throw error;
    if (error.response !== undefined) return toBackendResponse(error.response);
    throw error.cause instanceof GatewayException
      ? error.cause
      : new BackendUnavailableException(`the request was given up (${error.code})`);
  } finally {
    clearTimeout(timer);
    // Whatever an interceptor still wants to send for it stays here.
    deadline.end();
  }
}

/** Read before an application can have changed it: it makes JSON and forms of objects, and leaves bytes alone. */
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

/** An interceptor may have made text or a value of the body. */
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
