import { HttpService } from '@nestjs/axios';
import { Inject, Injectable } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { NEVER_FORWARDED } from '../core/headers/index.js';
import { ReservedHeaders } from '../http/index.js';
import type { BackendAnswer } from './answer/backend-answer.js';
import { readAnswer } from './answer/read-answer.js';
import type { BackendCall, CallTracer } from './backend-call.js';
import { BackendHttpService, sendByAxios } from './backend-http.service.js';
import {
  BACKEND_OPTIONS,
  backendLimits,
  type BackendLimits,
  type BackendModuleOptions,
} from './backend.module-definition.js';
import { fillPath } from './request/backend-path.js';
import {
  allowedHeaders,
  forwardedHeaders,
  forwardedQuery,
  type AllowedHeader,
} from './request/forwarding.js';
import { BackendBulkhead, type CallListener } from './resilience/backend-bulkhead.js';
import type { BreakerState } from '../core/resilience/index.js';
import { BackendTransport } from './transport/backend-transport.js';
import type { BackendRequest, BackendResponse } from './transport/exchange.js';

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

/**
 * Talks HTTP to the backend: total deadline, no redirects, no proxy, a bounded answer that has
 * to be JSON. It knows nothing of tokens.
 *
 * Its calls pass the interceptors and defaults of the `HttpService` that `BackendModule` exports.
 * They see a path below the host as `url`, the body of a request as a Buffer, and the body of a
 * response as the Buffer that came. A failure is an `AxiosError` as with any axios: `response` for a
 * status that is not 2xx, else `cause`, which is the exception that `call` throws. What they change
 * is what is sent and read. The deadline of a call holds for all attempts together, and for the
 * circuit breaker they are one call.
 *
 * @example
 * ```ts
 * @Module({ imports: [BackendModule.forRoot({ host: 'https://login.internal' })] })
 * export class AppModule {
 *   constructor({ axiosRef: axios }: HttpService) {
 *     axios.defaults.headers.common['x-api-key'] = 'secret';
 *     axios.interceptors.response.use(undefined, (error: AxiosError) => {
 *       const { config, response, cause } = error;
 *       // Once more, where the backend got nothing or asks for it.
 *       const again = response?.status === 503 || cause instanceof BackendUnavailableException;
 *       if (!again || config?.method !== 'get' || config.headers.has('x-attempt')) throw error;
 *       config.headers.set('x-attempt', '2');
 *       return axios.request(config);
 *     });
 *   }
 * }
 * ```
 */
@Injectable()
export class BackendClient {
  private readonly origin: string;
  private readonly basePath: string;
  private readonly limits: BackendLimits;
  private readonly inputHeaders: readonly AllowedHeader[];
  private readonly inputQueryStrings: readonly string[];
  private readonly bulkhead: BackendBulkhead;
  private tracer?: CallTracer;

  constructor(
    @Inject(BACKEND_OPTIONS) options: BackendModuleOptions,
    private readonly http: HttpService,
    private readonly transport: BackendTransport,
    private readonly reserved: ReservedHeaders,
  ) {
    const url = URL.parse(options.host);
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
      throw new BootError('the option host of BackendModule is not an http:// or https:// URL');
    this.origin = url.origin;
    this.basePath = url.pathname.replace(/\/$/, '');
    this.limits = backendLimits(options);
    this.inputHeaders = allowedHeaders(options.inputHeaders ?? []);
    for (const { name } of this.inputHeaders)
      if (NEVER_FORWARDED.has(name))
        throw new BootError(`the option inputHeaders of BackendModule cannot forward ${name}`);
    this.inputQueryStrings = options.inputQueryStrings ?? [];
    const { maxConnections, maxWaiting } = this.limits;
    this.bulkhead = new BackendBulkhead({
      maxCalls: maxConnections + maxWaiting,
      breaker: options.breaker,
    });
  }

  /** What is going on, and counts since the start. */
  get stats(): BackendStats {
    const { state, inFlight, rejected } = this.bulkhead;
    return { state, inFlight, rejected, retries: this.transport.retries };
  }

  /** From now on `listener` is told of every call that was made, once it is over. */
  onCall(listener: CallListener): void {
    this.bulkhead.onCall(listener);
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
    const request = this.requestFor(call);
    const span = this.tracer?.start(call);
    if (span === undefined) return (await this.exchange(request)) as BackendAnswer<T>;
    Object.assign(request.headers, span.headers);
    try {
      const answer = await this.exchange(request);
      span.end(answer.status);
      return answer as BackendAnswer<T>;
    } catch (error) {
      span.end(undefined, error);
      throw error;
    }
  }

  private requestFor(call: BackendCall): BackendRequest {
    const { method = 'GET', from, body, contentType = 'application/json' } = call;
    const headers =
      from === undefined ? {} : forwardedHeaders(from, this.inputHeaders, this.reserved);
    headers['accept'] ??= 'application/json';
    headers['accept-encoding'] = 'identity';
    const sendsBody =
      body !== undefined && body.length > 0 && method !== 'GET' && method !== 'HEAD';
    if (sendsBody) headers['content-type'] = contentType;
    return {
      origin: this.origin,
      path: this.target(call),
      method: method.toUpperCase(),
      headers,
      body: sendsBody ? body : undefined,
    };
  }

  private exchange(request: BackendRequest): Promise<BackendAnswer> {
    return this.bulkhead.run(async () =>
      readAnswer(await this.send(request), this.limits.maxBodyBytes),
    );
  }

  /** A test may have put another `HttpService` in the place of ours. */
  private send(request: BackendRequest): Promise<BackendResponse> {
    return this.http instanceof BackendHttpService
      ? this.http.send(request)
      : sendByAxios(this.http.axiosRef, request, this.limits.timeoutMs);
  }

  private target({ path, claims, from }: BackendCall): string {
    // One slash: axios takes "//other-host/a" for a URL of its own.
    const target = `${this.basePath}/${fillPath(path, claims).replace(/^\/+/, '')}`;
    const query = from === undefined ? '' : forwardedQuery(from, this.inputQueryStrings);
    return query === '' ? target : `${target}${target.includes('?') ? '&' : '?'}${query}`;
  }
}
