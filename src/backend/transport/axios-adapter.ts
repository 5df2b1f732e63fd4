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

/** When the time of a whole call is over. axios copies plain objects, and leaves those of a class alone. */
export class Deadline {
  private at: number;

  /** @param ms milliseconds from now */
  constructor(ms: number) {
    this.at = performance.now() + ms;
  }

  /** Milliseconds until then; none once the call is over. */
  get remaining(): number {
    return Math.ceil(this.at - performance.now());
  }

  /** The call is over, whatever the clock says: a timer may fire a little before its time. */
  end(): void {
    this.at = -Infinity;
  }
}

/**
 * Member of the configuration of a call, which stays with it where an interceptor sends it again. It is
 * no `signal`: axios rejects a request with an aborted signal at once, so an interceptor that retries
 * without end would block the event loop.
 */
export const DEADLINE = Symbol('signet.deadline');

/** A configuration that {@link DEADLINE} may be part of. */
export type ConfigOfCall = AxiosRequestConfig & { [DEADLINE]?: Deadline };

/** The deadline of the call that a configuration belongs to. */
export const deadlineOf = (config: ConfigOfCall | undefined): Deadline | undefined =>
  config?.[DEADLINE];

/**
 * axios' way to the transport. It knows `url`, `baseURL`, `params`, `method`, `headers`, `auth`, `data`,
 * `timeout` and `maxContentLength` (which can only be stricter than the options of the module), `signal`,
 * `cancelToken` and `validateStatus`. The body of a response is a Buffer. Redirects, proxies, agents and
 * streams are not part of it.
 *
 * A failure of the transport is an `AxiosError` whose `cause` is the exception that `BackendClient` throws.
 */
export const createAdapter =
  (transport: BackendTransport): AxiosAdapter =>
  async (config) => {
    const { timeout = 0, maxContentLength = -1, validateStatus } = config;
    const { remaining = Infinity } = deadlineOf(config) ?? {};
    // Nobody waits for the call any more: an interceptor that retries without end is left waiting.
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

/** Headers of axios as it would send them, by their names in lower case. */
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
 * axios takes an error with a `response` member, as every `HttpException` has, for one that holds an
 * HTTP response, and writes into it.
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

/** Only to build URLs. It has no defaults: those of the instance are in the configuration already. */
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
  // axios declares a form where there is no body at all.
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
    'BackendModule: a body is a Buffer, a text, or what JSON or a form is made of',
  );
}
