import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BackendHeaders } from '../core/headers/index.js';
import type { BearerToken, TokenPolicy, VerifiedClaims } from '../core/verify/index.js';

/** What the gateway knows about a request beside its text. */
export class RequestContext {
  /** Why the request was refused or failed, for its log line. */
  refusal: { readonly code: string; readonly explanation?: string } | undefined = undefined;
  /** True for a login: it asks the backend for tokens, and has no token itself. */
  login = false;
  /**
   * SHA-256 thumbprint of the key of the request's DPoP proof, if the proof was checked without a token (RFC 9449
   * section 5).
   */
  provenKey: string | undefined = undefined;
  /** Names of the headers that no backend gets, in lower case. */
  withheldHeaders: readonly string[] = [];
  /** Headers of every backend call for this request. The client's own headers never replace them. */
  backendHeaders: BackendHeaders | undefined = undefined;
  /** The token that was found in the request, valid or not. */
  presented: BearerToken | undefined = undefined;
  /** The policy that the request fulfils, and the claims of its token, if it has one. */
  verified:
    { readonly policy: TokenPolicy; readonly claims: VerifiedClaims | undefined } | undefined =
    undefined;

  /** @param id id of the request in `X-Request-Id`, error answers and log lines */
  constructor(readonly id: string) {}
}

/** A symbol of this file, so that no middleware or body can forge or overwrite a context. */
const CONTEXT = Symbol('signet.request-context');
type WithContext = object & { [CONTEXT]?: RequestContext };

/**
 * Returns the context of a request. The first call creates it.
 *
 * @param request a request of Node, Express or Fastify, or an object in place of one: the client of a WebSocket, the
 * context of a message
 */
export const requestContext = (request: object): RequestContext =>
  (request as WithContext)[CONTEXT] ?? newContext(request);

/** Middleware gets the request of Node, handlers that of Fastify. Both have the same context. */
interface FastifyLike extends WithContext {
  readonly raw?: WithContext;
}

function newContext(request: FastifyLike): RequestContext {
  const { raw = request } = request;
  const { headers } = raw as Partial<IncomingMessage>;
  return ((request as WithContext)[CONTEXT] = raw[CONTEXT] ??=
    new RequestContext(requestId(headers?.['x-request-id'])));
}

/** A valid request id: printable, short, and no JWT, since it is written to logs. */
const WELL_FORMED = /^(?!eyJ)[\w.:+/=@-]{1,128}$/;

/** Returns the client's own id if it is valid, else a new one. */
const requestId = (incoming: string | string[] | undefined): string =>
  typeof incoming === 'string' && WELL_FORMED.test(incoming) ? incoming : randomUUID();

/** Middleware: every answer contains the id of its request. */
export function requestContextMiddleware(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  response.setHeader('X-Request-Id', requestContext(request).id);
  next();
}

/**
 * Excludes headers of this request from all backend calls for it. `AuthGuard` excludes the header with the token. Use
 * it for other credentials that must not reach a backend.
 *
 * @param names lower-case header names
 */
export function withholdHeaders(request: object, names: readonly string[]): void {
  const context = requestContext(request);
  context.withheldHeaders = [...context.withheldHeaders, ...names];
}

/** Adds headers to every backend call for this request. */
export function addBackendHeaders(request: object, headers: BackendHeaders): void {
  const context = requestContext(request);
  context.backendHeaders = { ...context.backendHeaders, ...headers };
}

/** Notes that a request is a login, for the metrics. */
export function markLogin(request: IncomingMessage): void {
  requestContext(request).login = true;
}
