import {
  AxiosHeaders,
  type AxiosAdapter,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { Agent, type Dispatcher } from 'undici';
import type { IncomingHttpHeaders } from 'node:http';
import { BackendBadResponse, BackendTimeout, BackendUnavailable } from './backend.errors.js';
import { TransportFailure } from './transport-failure.js';

/** Idle connections are closed before usual backends (Node: 5 s) close them on us. */
const KEEP_ALIVE_MS = 4000;
const MAX_CONNECTIONS = 256;

/** A pool of keep-alive connections per origin. Redirects and proxies are not part of it. */
export const createPool = (): Agent =>
  new Agent({
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    pipelining: 1,
    // The deadline of the whole call is ours; undici's own timers are coarse.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

/**
 * An axios adapter over undici: `config.timeout` is the total deadline, `config.maxContentLength`
 * bounds the answer while it arrives, every status resolves. `data` is a Buffer.
 */
export function undiciAdapter(pool: Dispatcher): AxiosAdapter {
  return (config) =>
    new Promise((resolve, reject) => {
      pool.dispatch(toDispatch(config), new Exchange(config, resolve, reject));
    });
}

function toDispatch(config: InternalAxiosRequestConfig): Dispatcher.DispatchOptions {
  return {
    origin: config.baseURL,
    path: config.url ?? '/',
    method: config.method?.toUpperCase() ?? 'GET',
    headers: plainHeaders(config),
    body: (config.data as Buffer | undefined) ?? null,
  };
}

function plainHeaders({ headers, data }: InternalAxiosRequestConfig) {
  if (!(headers instanceof AxiosHeaders)) return headers as Record<string, string | string[]>;
  // axios declares a form where there is no body at all.
  if (data === undefined) headers.delete('content-type');
  return headers.toJSON(true);
}

/** One call: collects the answer, or gives up at the deadline, the size limit or the first error. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly chunks: Buffer[] = [];
  private readonly deadline: NodeJS.Timeout;
  private controller?: Dispatcher.DispatchController;
  private failure?: Error;
  private size = 0;
  private status = 0;
  private headers: IncomingHttpHeaders = {};

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly resolve: (response: AxiosResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeout } = config;
    this.deadline = setTimeout(
      () => this.fail(new BackendTimeout(`no complete answer within ${timeout} ms`)),
      timeout,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // The deadline can pass while the call still waits for a free connection.
    if (this.failure !== undefined) controller.abort(this.failure);
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
      this.fail(new BackendBadResponse(`the answer is larger than ${maxContentLength} bytes`));
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
    this.fail(toBackendError(error, this.status !== 0));
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    clearTimeout(this.deadline);
    this.reject(new TransportFailure(error));
    this.controller?.abort(error);
  }
}

/** Errors of undici that speak of what arrived, not of the connection. */
const NO_HTTP = new Set(['HTTPParserError', 'ResponseContentLengthMismatchError']);

function toBackendError(error: Error, answering: boolean): Error {
  const code = 'code' in error ? String(error.code) : error.name;
  if (NO_HTTP.has(error.name)) return new BackendBadResponse(`the answer is not HTTP (${code})`);
  return new BackendUnavailable(
    answering ? `the connection broke during the answer (${code})` : `no connection (${code})`,
  );
}
