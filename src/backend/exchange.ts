import type { IncomingHttpHeaders } from 'node:http';
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Dispatcher } from 'undici';
import {
  BackendBadResponseException,
  BackendTimeoutException,
  BackendUnavailableException,
} from './backend.exceptions.js';
import { TransportError } from './transport.error.js';

/** What an exchange needs of the transport to be sent a second time. */
export interface RetryableTransport {
  /** True while the first request of a fresh connection is being written. */
  readonly opening: boolean;
  /** @returns false when it is not allowed any more */
  sendAgain(request: Dispatcher.DispatchOptions, exchange: Exchange): boolean;
}

/**
 * One call: collects the answer, or gives up at the deadline, the size limit or the first error.
 *
 * A backend may close an idle connection in the moment in which a request is written to it. Such a
 * request is sent once more when that cannot do any harm: nothing was written yet, or its method is
 * safe (RFC 9110 section 9.2.2) and no byte of an answer came.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  private readonly chunks: Buffer[] = [];
  private readonly deadline: NodeJS.Timeout;
  private controller?: Dispatcher.DispatchController;
  private failure?: Error;
  private attempt: 'waiting' | 'fresh' | 'reused' | 'answering' = 'waiting';
  private again = false;
  private size = 0;
  private status = 0;
  private headers: IncomingHttpHeaders = {};

  constructor(
    private readonly line: RetryableTransport,
    private readonly request: Dispatcher.DispatchOptions,
    private readonly config: InternalAxiosRequestConfig,
    private readonly resolve: (response: AxiosResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeout } = config;
    this.deadline = setTimeout(
      () => this.fail(new BackendTimeoutException(`no complete answer within ${timeout} ms`)),
      timeout,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // The deadline can pass while the call waits for a connection, which is as good as before.
    if (this.failure !== undefined) throw this.failure;
    this.controller = controller;
    this.attempt = this.line.opening ? 'fresh' : 'reused';
  }

  onResponseStarted(): void {
    this.attempt = 'answering';
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    const { maxContentLength = Infinity } = this.config;
    if (this.size > maxContentLength)
      this.fail(
        new BackendBadResponseException(`the answer is larger than ${maxContentLength} bytes`),
      );
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.deadline);
    const [first] = this.chunks;
    this.resolve({
      status: this.status,
      statusText: '',
      headers: this.headers,
      data: this.chunks.length === 1 ? first : Buffer.concat(this.chunks),
      config: this.config,
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.failure !== undefined || (this.mayGoAgain(error) && this.sendAgain())) return;
    this.fail(toBackendError(error, this.status !== 0));
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
    return this.line.sendAgain(this.request, this);
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    clearTimeout(this.deadline);
    this.reject(new TransportError(error));
    this.controller?.abort(error);
  }
}

const SAFE = new Set<string>(['GET', 'HEAD']);
/** Errors of a connection that was there. */
const BROKEN = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);
/** Errors of undici that speak of what arrived, not of the connection. */
const NO_HTTP = new Set(['HTTPParserError', 'ResponseContentLengthMismatchError']);

function toBackendError(error: Error, answering: boolean): Error {
  const code = 'code' in error ? String(error.code) : error.name;
  if (NO_HTTP.has(error.name))
    return new BackendBadResponseException(`the answer is not HTTP (${code})`);
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new BackendTimeoutException('no connection in time');
  return new BackendUnavailableException(
    answering ? `the connection broke during the answer (${code})` : `no connection (${code})`,
  );
}
