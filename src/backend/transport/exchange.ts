import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import {
  BackendBadResponseException,
  BackendTimeoutException,
  BackendUnavailableException,
  ClientTooSlowException,
} from '../backend.exceptions.js';
import { GatewayException } from '../../http/index.js';

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
  /** A stream is sent while it is read, and cannot be sent again. */
  body: Buffer | string | Readable | undefined;
}

/** The head of a response, whatever its status. */
export interface ResponseHead {
  status: number;
  /** Names in lower case; a list for several lines of one name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A response as it came. */
export interface BackendResponse extends ResponseHead {
  body: Buffer;
}

/** A response whose body is still arriving. The caller has to read the body or to destroy it. */
export interface StreamedResponse extends ResponseHead {
  /** Fails with the errors of {@link Exchange}. */
  body: Readable;
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

/** The members of the transport that an exchange needs to be sent a second time. */
export interface RetryableTransport {
  /** True while the first request of a new connection is being written. */
  readonly opening: boolean;
  /** @returns false when the retry budget is used up */
  sendAgain(request: Dispatcher.DispatchOptions, exchange: Exchange): boolean;
}

/**
 * One request and its response. It fails at the deadline, the size limit, the signal or the first error.
 *
 * A backend may close an idle connection while a request is being written to it. Such a request is sent once more if
 * that cannot do any harm: if nothing was written yet, or if its method is safe (RFC 9110 section 9.2.2) and no byte of
 * a response has arrived. A body that is a stream cannot be sent again.
 */
export abstract class Exchange implements Dispatcher.DispatchHandler {
  protected controller?: Dispatcher.DispatchController;
  protected head: ResponseHead = { status: 0, headers: {} };
  private readonly deadline: NodeJS.Timeout;
  private failure?: Error;
  private isComplete = false;
  private onAbort?: () => void;
  private attempt: 'waiting' | 'fresh' | 'reused' | 'answering' = 'waiting';
  private wasRetried = false;
  private size = 0;

  constructor(
    private readonly transport: RetryableTransport,
    protected readonly request: Dispatcher.DispatchOptions,
    protected readonly limits: ExchangeLimits,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeoutMs, signal } = limits;
    this.deadline = setTimeout(
      () =>
        this.fail(
          new BackendTimeoutException(
            `no complete answer of ${String(request.origin)} within ${timeoutMs} ms`,
          ),
        ),
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
    headers: ResponseHead['headers'],
  ): void {
    this.head = { status, headers };
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.limits.maxBodyBytes) this.failTooLarge();
    else this.take(chunk);
  }

  onResponseEnd(): void {
    this.release();
    this.isComplete = true;
    this.finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.failure !== undefined || (this.mayRetry(error) && this.sendAgain())) return;
    this.fail(toBackendError(error, this.head.status !== 0, String(this.request.origin)));
  }

  /** Ends the exchange with `error`, unless it has ended. */
  fail(error: Error): void {
    if (this.failure !== undefined || this.isComplete) return;
    this.failure = error;
    this.release();
    this.reject(error);
    this.controller?.abort(error);
  }

  /** Takes a part of the body of the response. */
  protected abstract take(chunk: Buffer): void;

  /** The response is complete. */
  protected abstract finish(): void;

  protected failTooLarge(): void {
    const { maxBodyBytes } = this.limits;
    this.fail(new BackendBadResponseException(`the answer is larger than ${maxBodyBytes} bytes`));
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

  private mayRetry(error: Error): boolean {
    if (this.wasRetried || !('code' in error) || !BROKEN.has(error.code)) return false;
    if (this.request.body instanceof Readable) return false;
    return (
      this.attempt === 'waiting' || (this.attempt === 'reused' && SAFE.has(this.request.method))
    );
  }

  private sendAgain(): boolean {
    this.wasRetried = true;
    this.attempt = 'waiting';
    this.controller = undefined;
    return this.transport.sendAgain(this.request, this);
  }
}

/** An exchange whose response is collected. */
export class CollectedExchange extends Exchange {
  private readonly chunks: Buffer[] = [];

  constructor(
    transport: RetryableTransport,
    request: Dispatcher.DispatchOptions,
    limits: ExchangeLimits,
    private readonly resolve: (response: BackendResponse) => void,
    reject: (error: Error) => void,
  ) {
    super(transport, request, limits, reject);
  }

  protected take(chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  protected finish(): void {
    const [first] = this.chunks;
    const body =
      first !== undefined && this.chunks.length === 1 ? first : Buffer.concat(this.chunks);
    this.resolve({ ...this.head, body });
  }
}

/** An exchange whose response is a stream. It reads from the backend no faster than its reader does. */
export class StreamedExchange extends Exchange {
  private body?: Readable;

  constructor(
    transport: RetryableTransport,
    request: Dispatcher.DispatchOptions,
    limits: ExchangeLimits,
    private readonly resolve: (response: StreamedResponse) => void,
    reject: (error: Error) => void,
  ) {
    super(transport, request, limits, reject);
  }

  override onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHead['headers'],
  ): void {
    super.onResponseStart(controller, status, headers);
    // An interim response (RFC 9110 section 15.2).
    if (status < 200) return;
    const hasBody = this.request.method !== 'HEAD' && status !== 304;
    const length = Number(headers['content-length'] ?? 0);
    if (hasBody && length > this.limits.maxBodyBytes) return this.failTooLarge();
    this.body = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        this.fail(error ?? new Error('the answer is no longer read'));
        done(error);
      },
    });
    // The body may fail before its reader listens. The reader then finds it `errored`.
    this.body.on('error', () => undefined);
    this.resolve({ ...this.head, body: this.body });
  }

  override fail(error: Error): void {
    // Back pressure: a slow reader makes the backend pause.
    const waits = this.controller?.paused === true && error instanceof BackendTimeoutException;
    const failure = waits
      ? new ClientTooSlowException('it did not read the answer in time')
      : error;
    super.fail(failure);
    this.body?.destroy(failure);
  }

  protected take(chunk: Buffer): void {
    if (this.body?.push(chunk) === false) this.controller?.pause();
  }

  protected finish(): void {
    this.body?.push(null);
  }
}

const SAFE = new Set<string>(['GET', 'HEAD']);
/** Error codes of a connection that broke. */
const BROKEN = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);
/** Error codes of a request that cannot be written. They are not about the backend. */
const UNSENDABLE = new Set(['UND_ERR_INVALID_ARG', 'ERR_INVALID_URL']);
/** Errors of undici about the data that arrived, not about the connection. */
const NO_HTTP = new Set([
  'HTTPParserError',
  'ResponseContentLengthMismatchError',
  'HeadersOverflowError',
]);

/** @param origin scheme, host and port that were called */
function toBackendError(error: Error, answering: boolean, origin: string): Error {
  // The error that ended the body of the request.
  if (error instanceof GatewayException) return error;
  // The parser's errors may have a `code` that is undefined.
  const { code = error.name } = error as NodeJS.ErrnoException;
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
