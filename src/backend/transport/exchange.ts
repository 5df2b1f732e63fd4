import type { Dispatcher } from 'undici';
import {
  BackendBadResponseException,
  BackendTimeoutException,
  BackendUnavailableException,
} from '../backend.exceptions.js';

/** A request as it goes on the wire. */
export interface BackendRequest {
  /** Scheme, host and port. */
  origin: string;
  /** Path and query, encoded. */
  path: string;
  /** Upper case. */
  method: string;
  /** Names in lower case. */
  headers: Record<string, string | string[]>;
  body: Buffer | string | undefined;
}

/** A response as it came, whatever its status. */
export interface BackendResponse {
  status: number;
  /** Names in lower case; a list for several lines of one name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

/** Bounds of one exchange. */
export interface ExchangeLimits {
  /** Milliseconds from now to the last byte of the response. */
  timeoutMs: number;
  /** Largest body of the response, as it is transferred. */
  maxBodyBytes: number;
  /** Gives up the exchange, which then fails with the signal's reason. */
  signal?: AbortSignal;
}

/** What an exchange needs of the transport to be sent a second time. */
export interface RetryableTransport {
  /** True while the first request of a new connection is being written. */
  readonly opening: boolean;
  /** @returns false when the retry budget is used up */
  sendAgain(request: Dispatcher.DispatchOptions, exchange: Exchange): boolean;
}

/**
 * One request and its response: collects the response, or gives up at the deadline, the size limit,
 * the signal or the first error.
 *
 * A backend may close an idle connection in the moment in which a request is written to it. Such a
 * request is sent once more when that cannot do any harm: nothing was written yet, or its method is
 * safe (RFC 9110 section 9.2.2) and no byte of a response came.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  private readonly chunks: Buffer[] = [];
  private readonly deadline: NodeJS.Timeout;
  private controller?: Dispatcher.DispatchController;
  private failure?: Error;
  private onAbort?: () => void;
  private attempt: 'waiting' | 'fresh' | 'reused' | 'answering' = 'waiting';
  private again = false;
  private size = 0;
  private status = 0;
  private headers: BackendResponse['headers'] = {};

  constructor(
    private readonly transport: RetryableTransport,
    private readonly request: Dispatcher.DispatchOptions,
    private readonly limits: ExchangeLimits,
    private readonly resolve: (response: BackendResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeoutMs, signal } = limits;
    this.deadline = setTimeout(
      () => this.fail(new BackendTimeoutException(`no complete answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    if (signal !== undefined) this.watch(signal);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // The deadline can pass while the call waits for a connection; nothing must be sent then.
    if (this.failure !== undefined) throw this.failure;
    this.controller = controller;
    this.attempt = this.transport.opening ? 'fresh' : 'reused';
  }

  onResponseStarted(): void {
    this.attempt = 'answering';
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: BackendResponse['headers'],
  ): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    const { maxBodyBytes } = this.limits;
    if (this.size > maxBodyBytes)
      this.fail(new BackendBadResponseException(`the answer is larger than ${maxBodyBytes} bytes`));
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.release();
    const [first] = this.chunks;
    const body =
      first !== undefined && this.chunks.length === 1 ? first : Buffer.concat(this.chunks);
    this.resolve({ status: this.status, headers: this.headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.failure !== undefined || (this.mayGoAgain(error) && this.sendAgain())) return;
    this.fail(toBackendError(error, this.status !== 0, String(this.request.origin)));
  }

  /** Ends the exchange with `error`, unless it has ended. */
  fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.release();
    this.reject(error);
    this.controller?.abort(error);
  }

  private watch(signal: AbortSignal): void {
    this.onAbort = () => this.fail(signal.reason as Error);
    if (signal.aborted) this.onAbort();
    else signal.addEventListener('abort', this.onAbort);
  }

  private release(): void {
    clearTimeout(this.deadline);
    if (this.onAbort !== undefined) this.limits.signal?.removeEventListener('abort', this.onAbort);
  }

  private mayGoAgain(error: Error): boolean {
    if (this.again || !('code' in error) || !BROKEN.has(error.code)) return false;
    return (
      this.attempt === 'waiting' || (this.attempt === 'reused' && SAFE.has(this.request.method))
    );
  }

  private sendAgain(): boolean {
    this.again = true;
    this.attempt = 'waiting';
    this.controller = undefined;
    return this.transport.sendAgain(this.request, this);
  }
}

const SAFE = new Set<string>(['GET', 'HEAD']);
/** Errors of a connection that was there. */
const BROKEN = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);
/** The request cannot be written; the backend has no part in it. */
const UNSENDABLE = new Set(['UND_ERR_INVALID_ARG', 'ERR_INVALID_URL']);
/** Errors of undici that speak of what arrived, not of the connection. */
const NO_HTTP = new Set(['HTTPParserError', 'ResponseContentLengthMismatchError']);

/** @param origin scheme, host and port that were called */
function toBackendError(error: Error, answering: boolean, origin: string): Error {
  const code = 'code' in error ? String(error.code) : error.name;
  if (UNSENDABLE.has(code)) return error;
  if (NO_HTTP.has(error.name))
    return new BackendBadResponseException(`the answer is not HTTP (${code})`);
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new BackendTimeoutException(`no connection to ${origin} in time`);
  return new BackendUnavailableException(
    answering
      ? `the connection to ${origin} broke during the answer (${code})`
      : `no connection to ${origin} (${code})`,
  );
}
