import type { IncomingMessage } from 'node:http';
import { HttpService } from '@nestjs/axios';
import { Inject, Injectable } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { NEVER_FORWARDED } from '../core/headers/index.js';
import { ReservedHeaders } from '../http/index.js';
import { BackendAnswer } from './backend-answer.js';
import { BackendBulkhead, type CallListener } from './backend-bulkhead.js';
import { BackendTransport, DEFAULT_MAX_CONNECTIONS } from './backend-transport.js';
import { BACKEND_OPTIONS, type BackendModuleOptions } from './backend.module-definition.js';
import type { CallTracer } from './call-tracer.js';
import type { BreakerState } from './circuit-breaker.js';
import {
  allowedHeaders,
  forwardedHeaders,
  forwardedQuery,
  type AllowedHeader,
} from './forwarding.js';
import { fillPath } from './path-template.js';
import { readAnswer } from './read-answer.js';
import { sendRequest, type OutgoingRequest } from './send-request.js';

/** One call to the backend. */
export interface BackendCall {
  /** Default `GET`. */
  method?: string;
  /** Path below the configured host; may contain `{JWT.<claim>}`. */
  path: string;
  /**
   * The client's request: its allow-listed headers and query strings are forwarded, and what its
   * token's claims are to become.
   */
  from?: IncomingMessage;
  /** Verified claims for the placeholders of `path`. */
  claims?: Readonly<Record<string, unknown>>;
  /** Sent byte for byte; never with `GET` or `HEAD`. */
  body?: Buffer;
  /** Content type of `body`. Default `application/json`. */
  contentType?: string;
}

/** See {@link BackendClient.stats}. */
export interface BackendStats {
  /** Of the circuit breaker. */
  readonly state: BreakerState;
  /** Calls under way. */
  readonly inFlight: number;
  /** Calls that were not made because the circuit was open or too many were under way. */
  readonly rejected: number;
  /** Calls that were sent a second time. */
  readonly retries: number;
}

/** Milliseconds of one call, where nobody says otherwise. */
export const DEFAULT_TIMEOUT_MS = 2000;
/** Bytes of an answer, where nobody says otherwise. */
export const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
const DEFAULT_MAX_WAITING = 1024;

/**
 * Talks HTTP to the backend: total deadline, no redirects, no proxy, a bounded answer that has
 * to be JSON. It knows nothing of tokens.
 */
@Injectable()
export class BackendClient {
  private readonly origin: string;
  private readonly basePath: string;
  private readonly timeout: number;
  private readonly maxBodyBytes: number;
  private readonly inputHeaders: readonly AllowedHeader[];
  private readonly isReserved: (folded: string) => boolean;
  private readonly inputQueryStrings: readonly string[];
  private readonly guard: BackendBulkhead;
  private tracer?: CallTracer;

  constructor(
    @Inject(BACKEND_OPTIONS) options: BackendModuleOptions,
    private readonly http: HttpService,
    private readonly transport: BackendTransport,
    reserved: ReservedHeaders,
  ) {
    const url = URL.parse(options.host);
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
      throw new BootError(`BackendModule: 'host' is not an http:// or https:// URL`);
    this.origin = url.origin;
    this.basePath = url.pathname.replace(/\/$/, '');
    this.timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
    this.inputHeaders = allowedHeaders(options.inputHeaders ?? []);
    for (const { name } of this.inputHeaders)
      if (NEVER_FORWARDED.has(name))
        throw new BootError(`BackendModule: inputHeaders cannot forward ${name}`);
    this.isReserved = (folded) => reserved.has(folded);
    this.inputQueryStrings = options.inputQueryStrings ?? [];
    const { maxConnections = DEFAULT_MAX_CONNECTIONS, maxWaiting = DEFAULT_MAX_WAITING } = options;
    this.guard = new BackendBulkhead({
      maxCalls: maxConnections + maxWaiting,
      breaker: options.breaker,
    });
  }

  /** What is going on, and counts since the start. */
  get stats(): BackendStats {
    const { state, inFlight, rejected } = this.guard;
    return { state, inFlight, rejected, retries: this.transport.retries };
  }

  /** From now on `listener` is told of every call that was made, once it is over. */
  onCall(listener: CallListener): void {
    this.guard.onCall(listener);
  }

  /** From now on `tracer` follows every call. */
  trace(tracer: CallTracer): void {
    this.tracer = tracer;
  }

  /**
   * Makes one call and checks its answer.
   *
   * @returns the JSON answer with its 2xx status
   * @throws BackendUnavailableException (502), BackendBadResponseException (502), BackendTimeoutException (504)
   * @throws BackendRefusedException for a 4xx, which the client gets as the backend sent it
   * @throws ClaimForBackendMissingException (403) when `path` needs a claim that `claims` does not hold
   */
  async call<T = unknown>(call: BackendCall): Promise<BackendAnswer<T>> {
    const { method = 'GET', from, body, contentType = 'application/json' } = call;
    const headers: Record<string, string | string[]> =
      from === undefined ? {} : forwardedHeaders(from, this.inputHeaders, this.isReserved);
    headers['accept'] ??= 'application/json';
    headers['accept-encoding'] = 'identity';
    const sendsBody =
      body !== undefined && body.length > 0 && method !== 'GET' && method !== 'HEAD';
    if (sendsBody) headers['content-type'] = contentType;
    const request = {
      baseURL: this.origin,
      url: this.target(call),
      method,
      headers,
      data: sendsBody ? body : undefined,
      timeout: this.timeout,
      maxContentLength: this.maxBodyBytes,
    };
    const span = this.tracer?.start(call);
    if (span === undefined) return (await this.send(request)) as BackendAnswer<T>;
    Object.assign(headers, span.headers);
    try {
      const answer = await this.send(request);
      span.end(answer.status);
      return answer as BackendAnswer<T>;
    } catch (error) {
      span.end(undefined, error);
      throw error;
    }
  }

  private send(request: OutgoingRequest): Promise<BackendAnswer> {
    return this.guard.run(async () =>
      readAnswer(await sendRequest(this.http.axiosRef, request), this.maxBodyBytes),
    );
  }

  private target({ path, claims, from }: BackendCall): string {
    const target = this.basePath + fillPath(path, claims);
    const query = from === undefined ? '' : forwardedQuery(from, this.inputQueryStrings);
    return query === '' ? target : `${target}${target.includes('?') ? '&' : '?'}${query}`;
  }
}
