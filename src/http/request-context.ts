import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BackendHeaders } from '../core/headers/index.js';
import type { BearerToken, TokenPolicy, VerifiedClaims } from '../core/verify/index.js';

/** What is known of a request beside its text. */
export class RequestContext {
  /** Why the request was refused or failed, for its log line. */
  refusal: { readonly code: string; readonly explanation?: string } | undefined = undefined;
  /** The request is a login: it asks the backend for tokens, with no token of its own. */
  login = false;
  /**
   * SHA-256 thumbprint of the key of the request's DPoP proof, where one was checked that names no token
   * (RFC 9449 section 5).
   */
  provenKey: string | undefined = undefined;
  /** Lower-case names of the headers that no backend gets. */
  withheldHeaders: readonly string[] = [];
  /** What every backend call made on behalf of this request sends; the client's own headers never replace it. */
  backendHeaders: BackendHeaders | undefined = undefined;
  /** The token that was found in the request, whether it is good or not. */
  presented: BearerToken | undefined = undefined;
  /** The policy that the request fulfils, and the claims of its token, if it has one. */
  verified:
    { readonly policy: TokenPolicy; readonly claims: VerifiedClaims | undefined } | undefined =
    undefined;

  /** @param id goes into `X-Request-Id`, error answers and log lines */
  constructor(readonly id: string) {}
}

/** A symbol of this file, so that no middleware or body can forge or overwrite a context. */
const CONTEXT = Symbol('signet.request-context');
type WithContext = object & { [CONTEXT]?: RequestContext };

/**
 * The context of a request; the first who asks for it makes it.
 *
 * @param request that of Node, Express or Fastify, or whatever stands for one: the client of a WebSocket, the
 * context of a message
 */
export const requestContext = (request: object): RequestContext =>
  (request as WithContext)[CONTEXT] ?? newContext(request);

/** Middleware sees the request of Node, handlers that of Fastify: it is one request. */
interface FastifyLike extends WithContext {
  readonly raw?: WithContext;
}

function newContext(request: FastifyLike): RequestContext {
  const { raw = request } = request;
  const { headers } = raw as Partial<IncomingMessage>;
  return ((request as WithContext)[CONTEXT] = raw[CONTEXT] ??=
    new RequestContext(requestId(headers?.['x-request-id'])));
}

/** Printable, short, and no JWT: whatever comes in is written to logs. */
const WELL_FORMED = /^(?!eyJ)[\w.:+/=@-]{1,128}$/;

/** The client's own id when it is well-formed, else a new one. */
const requestId = (incoming: string | string[] | undefined): string =>
  typeof incoming === 'string' && WELL_FORMED.test(incoming) ? incoming : randomUUID();

/** Middleware: every answer tells the id of its request. */
export function requestContextMiddleware(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  response.setHeader('X-Request-Id', requestContext(request).id);
  next();
}

/**
 * Keeps headers of this request from every backend call made on its behalf; `AuthGuard` withholds
 * what carried the token. For code that lets a credential end here.
 *
 * @param names lower-case header names
 */
export function withholdHeaders(request: object, names: readonly string[]): void {
  const context = requestContext(request);
  context.withheldHeaders = [...context.withheldHeaders, ...names];
}

/** Adds headers to every backend call made on behalf of this request. */
export function addBackendHeaders(request: object, headers: BackendHeaders): void {
  const context = requestContext(request);
  context.backendHeaders = { ...context.backendHeaders, ...headers };
}

/** Notes that a request is a login, for the metrics. */
export function markLogin(request: IncomingMessage): void {
  requestContext(request).login = true;
}
