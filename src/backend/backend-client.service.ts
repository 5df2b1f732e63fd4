import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HOP_TOKEN_HEADER } from '../core/claims/index.js';
import { BootError } from '../core/errors/index.js';
import { NEVER_FORWARDED } from '../core/headers/index.js';
import { hasBody, HopTokens, ReservedHeaders, untouchedBody } from '../http/index.js';
import type { BackendAnswer } from './answer/backend-answer.js';
import { headerFilter, sendAnswer, sendStream, type HeaderFilter } from './answer/pass-on.js';
import { readAnswer, readForClient, type Reading } from './answer/read-answer.js';
import type {
  BackendCall,
  CallSpan,
  CallTarget,
  CallTracer,
  JsonTypes,
  ProxyCall,
} from './backend-call.js';
import { BackendHosts, type BackendHost } from './backend-hosts.js';
import { BackendTimeoutException, ClientTooSlowException } from './backend.exceptions.js';
import { BACKEND_HTTP, type BackendHttp } from './backend-http.js';
import {
  BACKEND_OPTIONS,
  backendLimits,
  type BackendLimits,
  type BackendModuleOptions,
} from './backend.module-definition.js';
import { fillPath } from './request/backend-path.js';
import { HopRequests } from './request/hop-requests.js';
import {
  allowedHeaders,
  forwardedHeaders,
  forwardedQuery,
  type Forwarding,
} from './request/forwarding.js';
import type { BackendOutcome, CallListener } from './resilience/backend-bulkhead.js';
import type { BreakerState } from '../core/resilience/index.js';
import { BackendTransport } from './transport/backend-transport.js';
import type { BackendRequest } from './transport/exchange.js';

const HOP_HEADER = HOP_TOKEN_HEADER.toLowerCase();

/** See {@link BackendClient.stats}. */
export interface BackendStats {
  /** State of the circuit breaker. With several hosts it is the best of their states. */
  readonly state: BreakerState;
  /** Calls under way. */
  readonly inFlight: number;
  /** Calls that were not made because the circuit was open or too many were under way. */
  readonly rejected: number;
  /** Calls that were sent a second time. */
  readonly retries: number;
}

/**
 * Calls the backend over HTTP. A call has a total deadline, and uses no redirects and no proxy. Its answer is bounded
 * in size and has to be JSON unless the call says otherwise. The client handles only the tokens that a call carries.
 *
 * Calls pass the interceptors and defaults of the `HttpService` that `BackendModule` exports. An interceptor sees the
 * path below the host as `url`, and the bodies of request and response as Buffers. A failure is an `AxiosError` as
 * usual in axios: it has a `response` if the status is not 2xx, else a `cause`, which is the exception that `call`
 * throws. Changes of an interceptor apply to what is sent and read. The deadline of a call holds for all attempts
 * together, and the circuit breaker counts them as one call.
 *
 * @example
 * ```ts
 * @Module({ imports: [BackendModule.forRoot({ host: 'https://login.internal' })] })
 * export class AppModule {
 *   constructor({ axiosRef: axios }: HttpService) {
 *     axios.defaults.headers.common['x-api-key'] = 'secret';
 *     axios.interceptors.response.use(undefined, (error: AxiosError) => {
 *       const { config, response, cause } = error;
 *       // Sends the request again if the backend did not get it or asks for a retry.
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
export class BackendClient implements OnApplicationBootstrap {
  private readonly hosts: BackendHosts;
  private readonly hops: HopRequests;
  private readonly limits: BackendLimits;
  private readonly forwarding: Forwarding;
  private readonly inputQueryStrings: readonly string[];
  private readonly jsonTypes: JsonTypes;
  private tracer?: CallTracer;

  constructor(
    @Inject(BACKEND_OPTIONS) options: BackendModuleOptions,
    @Inject(BACKEND_HTTP) private readonly http: BackendHttp,
    private readonly transport: BackendTransport,
    reserved: ReservedHeaders,
    hopTokens: HopTokens,
  ) {
    this.hosts = new BackendHosts(options);
    this.hops = new HopRequests(options.hop ?? false, this.hosts.origin, hopTokens);
    this.limits = backendLimits(options);
    reserved.reserve(HOP_HEADER);
    this.forwarding = {
      headers: allowedHeaders(options.inputHeaders ?? []),
      cookies: new Set(options.inputCookies),
      reserved,
      forwardedFor: options.forwarded ?? true,
    };
    for (const { name } of this.forwarding.headers)
      if (NEVER_FORWARDED.has(name))
        throw new BootError(`the option inputHeaders of BackendModule cannot forward ${name}`);
    this.jsonTypes = options.jsonTypes ?? 'declared';
    this.inputQueryStrings = options.inputQueryStrings ?? [];
  }

  /** @throws BootError if calls have to carry a signed token that cannot be made */
  onApplicationBootstrap(): void {
    this.hops.assertUsable();
  }

  /** The current state, and counts since the start. */
  get stats(): BackendStats {
    return {
      state: this.hosts.state,
      inFlight: this.hosts.count('inFlight'),
      rejected: this.hosts.count('rejected'),
      retries: this.transport.retries,
    };
  }

  /** Registers a listener, which is called at the end of every call that was made. */
  onCall(listener: CallListener): void {
    this.hosts.onCall(listener);
  }

  /** Sets the tracer of all further calls. */
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
    const { method = 'GET', body, contentType = 'application/json' } = call;
    const host = this.hosts.next();
    const request = this.requestFor(host, call, method, 'application/json');
    if (body !== undefined && body.length > 0 && method !== 'GET' && method !== 'HEAD') {
      request.headers['content-type'] = contentType;
      request.body = body;
    }
    const hop = this.hops.tokenFor(call);
    if (hop !== undefined) request.headers[HOP_HEADER] = typeof hop === 'string' ? hop : await hop;
    const answer = await this.followed(call, request, () =>
      host.bulkhead.run(async () => readAnswer(await this.http.send(request), this.reading(call))),
    );
    return answer as BackendAnswer<T>;
  }

  /**
   * Passes a client's request on to the backend, and the answer back. Redirects are not followed.
   *
   * @returns a promise that resolves once the answer is being sent, with `no-op` once it was sent completely
   * @throws as {@link call}, before anything is sent; with `no-op` only if there is no answer
   * @throws RequestBodyException 413 `body_too_large`; 415 if a body parser has left no bytes of the body
   * @throws ClientTooSlowException 408
   */
  async proxy(call: ProxyCall): Promise<void> {
    const { from, to, method = from.method ?? 'GET', encoding = 'json', responseHeaders } = call;
    const isUnchanged = encoding === 'no-op';
    const isHead = method.toUpperCase() === 'HEAD';
    const host = this.hosts.next();
    const request = this.requestFor(
      host,
      call,
      // The answer is checked, so it needs a body.
      isHead && !isUnchanged ? 'GET' : method,
      isUnchanged ? '*/*' : 'application/json',
    );
    const { 'accept-encoding': accepted } = from.headers;
    if (isUnchanged && accepted !== undefined) request.headers['accept-encoding'] = accepted;
    if (!isHead) {
      noteType(request, from);
      if (hasBody(from)) await this.addBody(request, from);
    }
    const hop = this.hops.tokenFor(call);
    if (hop !== undefined) request.headers[HOP_HEADER] = typeof hop === 'string' ? hop : await hop;
    const isPassedOn = headerFilter(isUnchanged, responseHeaders);
    try {
      await this.followed(call, request, () =>
        host.bulkhead.run(() => this.passOn(call, request, isPassedOn), outcomeOf),
      );
    } catch (error) {
      closeUnlessRead(from, to);
      throw error;
    }
  }

  private async passOn(
    call: ProxyCall,
    request: BackendRequest,
    isPassedOn: HeaderFilter,
  ): Promise<PassedOn> {
    const { from, to, encoding = 'json' } = call;
    try {
      if (encoding === 'no-op') {
        const response = await this.http.open(request);
        closeUnlessRead(from, to);
        const outcome = await sendStream(response, to, isPassedOn);
        return { status: response.status, outcome };
      }
      const response = await this.http.send(request);
      const read = readForClient(response, encoding, this.reading(call));
      const answer = read instanceof Promise ? await read : read;
      closeUnlessRead(from, to);
      sendAnswer(answer, to, isPassedOn);
      return { status: answer.status, outcome: 'answered' };
    } catch (error) {
      const isClients = request.body instanceof Readable && !from.complete;
      throw isClients && error instanceof BackendTimeoutException
        ? new ClientTooSlowException('it did not send its body in time')
        : error;
    }
  }

  private reading({ jsonTypes = this.jsonTypes }: CallTarget): Reading {
    return { jsonTypes, maxBytes: this.limits.maxBodyBytes };
  }

  /** Makes a call, within a span if it is traced. */
  private followed<T extends { status: number }>(
    call: CallTarget,
    request: BackendRequest,
    exchange: () => Promise<T>,
  ): Promise<T> {
    const span = this.tracer?.start(call);
    return span === undefined ? exchange() : this.traced(span, request, exchange);
  }

  private async traced<T extends { status: number }>(
    span: CallSpan,
    request: BackendRequest,
    exchange: () => Promise<T>,
  ): Promise<T> {
    Object.assign(request.headers, span.headers);
    try {
      const answer = await exchange();
      span.end(answer.status);
      return answer;
    } catch (error) {
      span.end(undefined, error);
      throw error;
    }
  }

  private requestFor(
    { origin, basePath }: BackendHost,
    call: CallTarget,
    method: string,
    accept: string,
  ): BackendRequest {
    const { from } = call;
    const headers =
      from === undefined ? {} : forwardedHeaders(from, this.forwarding, call.forwardToken);
    headers['accept'] ??= accept;
    headers['accept-encoding'] = 'identity';
    return {
      origin,
      path: this.target(basePath, call),
      method: method.toUpperCase(),
      headers,
      body: undefined,
    };
  }

  /** Adds the client's body and the headers that describe it. */
  private async addBody(request: BackendRequest, from: IncomingMessage): Promise<void> {
    const { 'content-length': length, 'content-encoding': encoding } = from.headers;
    // A body that was parsed is decompressed.
    const isParsed = from.readableDidRead;
    request.body = await untouchedBody(from, this.limits.maxRequestBytes);
    if (request.body === undefined) return;
    if (encoding !== undefined && !isParsed) request.headers['content-encoding'] = encoding;
    if (length !== undefined && request.body instanceof Readable)
      request.headers['content-length'] = length;
  }

  private target(basePath: string, { path, claims, from }: CallTarget): string {
    // Exactly one slash: axios treats "//other-host/a" as an absolute URL.
    const target = `${basePath}/${fillPath(path, claims).replace(/^\/+/, '')}`;
    const query = from === undefined ? '' : forwardedQuery(from, this.inputQueryStrings);
    return query === '' ? target : `${target}${target.includes('?') ? '&' : '?'}${query}`;
  }
}

/** How a forwarded request ended. */
interface PassedOn {
  status: number;
  outcome: BackendOutcome;
}

const outcomeOf = ({ outcome }: PassedOn): BackendOutcome => outcome;

/** Copies the content type of the client's request, also if there is no body. */
function noteType(request: BackendRequest, { headers }: IncomingMessage): void {
  const { 'content-type': type } = headers;
  if (type !== undefined) request.headers['content-type'] = type;
}

/** Closes the connection if the rest of a body is not read, since no other request can follow on it. */
function closeUnlessRead(from: IncomingMessage, to: ServerResponse): void {
  if (hasBody(from) && !from.complete && !to.headersSent) to.setHeader('Connection', 'close');
}
