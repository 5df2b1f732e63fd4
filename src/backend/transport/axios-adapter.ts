import { STATUS_CODES } from 'node:http';
import {
  Axios,
  AxiosError,
  AxiosHeaders,
  CanceledError,
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { GatewayException } from '../../http/index.js';
import { BackendBadResponseException, BackendTimeoutException } from '../backend.exceptions.js';
import type { BackendTransport } from './backend-transport.js';
import type { BackendRequest, BackendResponse } from './exchange.js';

/** The deadline of a whole call. It is a class, since axios copies plain objects, but not instances of a class. */
export class Deadline {
  private at: number;

  /** @param ms milliseconds from now */
  constructor(ms: number) {
    this.at = performance.now() + ms;
  }

  /** Milliseconds until the deadline; 0 or less once the call is over. */
  get remaining(): number {
    return Math.ceil(this.at - performance.now());
  }

  /** Ends the call independently of the clock, since a timer may fire slightly early. */
  end(): void {
    this.at = -Infinity;
  }
}

/**
 * Member of the configuration of a call that holds its deadline, also if an interceptor sends the configuration again.
 * It is not a `signal`: axios rejects a request with an aborted signal at once, so an interceptor that retries without
 * end would block the event loop.
 */
export const DEADLINE = Symbol('signet.deadline');

/** A configuration that {@link DEADLINE} may be part of. */
export type ConfigOfCall = AxiosRequestConfig & { [DEADLINE]?: Deadline };

/** Returns the deadline of the call that a configuration belongs to. */
export const deadlineOf = (config: ConfigOfCall | undefined): Deadline | undefined =>
  config?.[DEADLINE];

/**
 * Creates the axios adapter that sends through the transport. It supports `url`, `baseURL`, `params`, `method`,
 * `headers`, `auth`, `data`, `timeout` and `maxContentLength` (which can only be stricter than the options of the
 * module), `signal`, `cancelToken` and `validateStatus`. The body of a response is a Buffer. Redirects, proxies, agents
 * and streams are not supported.
 *
 * A failure of the transport is an `AxiosError` whose `cause` is the exception that `BackendClient` throws.
 */
export const createAdapter =
  (transport: BackendTransport): AxiosAdapter =>
  async (config) => {
    const { timeout = 0, maxContentLength = -1, validateStatus } = config;
    const { remaining = Infinity } = deadlineOf(config) ?? {};
    // The call is over. A promise that never settles stops an interceptor that retries without end.
    if (remaining <= 0) return new Promise<never>(() => undefined);
    const signal = signalOf(config);
    const limits = {
      timeoutMs: timeout > 0 ? Math.min(timeout, remaining) : remaining,
      maxBodyBytes: maxContentLength < 0 ? undefined : maxContentLength,
      signal,
    };
    let received: BackendResponse;
    try {
      received = await transport.send(toBackendRequest(config), limits);
    } catch (error) {
      throw signal?.aborted === true ? new CanceledError(undefined, config) : wrap(error, config);
    }
    const { status, headers, body } = received;
    const statusText = STATUS_CODES[status] ?? '';
    const response: AxiosResponse = { status, statusText, headers, data: body, config };
    if (validateStatus?.(status) ?? true) return response;
    const code = status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
    throw new AxiosError(`the backend answered ${status}`, code, config, undefined, response);
  };

/** Returns headers as axios would send them, with names in lower case. */
export const toPlainHeaders = (headers: unknown): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(new AxiosHeaders(headers as AxiosHeaders).toJSON()).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );

function signalOf({ signal, cancelToken }: InternalAxiosRequestConfig): AbortSignal | undefined {
  const signals = [signal as AbortSignal | undefined, cancelToken?.toAbortSignal()].filter(
    (one) => one !== undefined,
  );
  return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
}

/**
 * Wraps an exception of the transport. axios would treat the `response` member, which every `HttpException` has, as an
 * HTTP response and write into it.
 */
function wrap(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (!(error instanceof GatewayException)) return error;
  const wrapped = new AxiosError(error.explanation, codeOf(error), config);
  wrapped.cause = error;
  return wrapped;
}

function codeOf(error: GatewayException): string {
  if (error instanceof BackendTimeoutException) return AxiosError.ETIMEDOUT;
  return error instanceof BackendBadResponseException
    ? AxiosError.ERR_BAD_RESPONSE
    : AxiosError.ERR_NETWORK;
}

/** Only builds URLs. It has no defaults, since those of the instance are in the configuration already. */
const urls = new Axios({});
const HTTP_URL = /^(https?:\/\/[^/?#]+)(.*)$/is;

function toBackendRequest(config: InternalAxiosRequestConfig): BackendRequest {
  const [, origin, path = ''] = HTTP_URL.exec(urls.getUri(config)) ?? [];
  if (origin === undefined)
    throw new AxiosError('the URL is not an http:// or https:// one', 'ERR_INVALID_URL', config);
  const { auth, data, method = 'get' } = config;
  const body = toBody(data);
  const headers = toPlainHeaders(config.headers);
  if (auth !== undefined)
    headers.authorization = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  // axios sets the content type of a form if there is no body.
  if (body === undefined) delete headers['content-type'];
  return {
    origin,
    path: path.startsWith('/') ? path : `/${path}`,
    method: method.toUpperCase(),
    headers,
    body,
  };
}

function toBody(data: unknown): Buffer | string | undefined {
  if (data === undefined || data === null || data === '') return undefined;
  if (typeof data === 'string' || Buffer.isBuffer(data)) return data;
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  throw new TypeError(
    'BackendModule: a body is a Buffer, a string, or what JSON or a form is made of',
  );
}
