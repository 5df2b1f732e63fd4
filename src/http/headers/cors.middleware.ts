import type { IncomingMessage, ServerResponse } from 'node:http';
import { EXPOSED_HEADERS } from './exposed-headers.js';

/** Pages of which other origins may read answers (the CORS protocol, https://fetch.spec.whatwg.org). */
export interface CorsOptions {
  /** Origins as browsers send them, e.g. `https://app.example`; `*`: all. */
  readonly origins: readonly string[] | '*';
  /** Their requests may carry cookies. Never for all origins. */
  readonly credentials: boolean;
}

/** Those of which a page can be told nothing else than that they are for everybody. */
const PUBLIC_DOCUMENTS = /^[^?]*\/\.well-known\//;
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** Seconds; as long as Chromium remembers at most. */
const PREFLIGHT_AGE = '7200';

/**
 * Says in the head of an answer, whatever its status, whether a page of another origin may read it.
 *
 * @returns false where none of that origin may
 */
export type CorsHeaders = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What is the same for all answers, compiled. */
export function corsHeaders({ origins, credentials }: CorsOptions): CorsHeaders {
  const listed = new Set(origins === '*' ? [] : origins);
  const exposed = EXPOSED_HEADERS.join(', ');
  return ({ headers: { origin }, url = '' }, response) => {
    const isPublic = origins === '*' || PUBLIC_DOCUMENTS.test(url);
    // Without it a cache would show one origin what was made for another.
    if (!isPublic) response.setHeader('Vary', 'Origin');
    if (origin === undefined || !(isPublic || listed.has(origin))) return false;
    response.setHeader('Access-Control-Allow-Origin', isPublic ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', exposed);
    if (credentials && !isPublic) response.setHeader('Access-Control-Allow-Credentials', 'true');
    return true;
  };
}

/**
 * Middleware: the same for each request, and the answers to preflights. An `OPTIONS` request that is no
 * preflight, or comes from a page that may not read the answer, goes on as any other.
 */
export function corsMiddleware(write: CorsHeaders) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const isAllowed = write(request, response);
    const { 'access-control-request-method': method, 'access-control-request-headers': names } =
      request.headers;
    if (!isAllowed || request.method !== 'OPTIONS' || method === undefined) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Methods', METHODS);
    // Any: what a header means is for the route to decide.
    if (names !== undefined) response.setHeader('Access-Control-Allow-Headers', names);
    response.setHeader('Access-Control-Max-Age', PREFLIGHT_AGE);
    response.statusCode = 204;
    response.end();
  };
}

/**
 * Middleware where no pages of other origins are let in: the preflights of the documents that all pages may read. A
 * client of MCP sends a header of its own with each request, so that its browser asks first.
 */
export function publicDocumentsMiddleware() {
  const answer = corsMiddleware(corsHeaders({ origins: '*', credentials: false }));
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (request.method === 'OPTIONS' && PUBLIC_DOCUMENTS.test(request.url ?? ''))
      answer(request, response, next);
    else next();
  };
}
