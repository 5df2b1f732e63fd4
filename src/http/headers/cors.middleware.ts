import type { IncomingMessage, ServerResponse } from 'node:http';
import { EXPOSED_HEADERS } from './exposed-headers.js';

/** Which origins may read answers (the CORS protocol, https://fetch.spec.whatwg.org). */
export interface CorsOptions {
  /** Origins as browsers send them, e.g. `https://app.example`; `*`: all. */
  readonly origins: readonly string[] | '*';
  /** True: requests of these origins may carry cookies. It has no effect with `*`. */
  readonly credentials: boolean;
}

/** Documents that pages of all origins may read. */
const PUBLIC_DOCUMENTS = /^[^?]*\/\.well-known\//;
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** How long browsers cache the answer to a preflight, in seconds: the maximum of Chromium. */
const PREFLIGHT_AGE = '7200';

/**
 * Sets the CORS headers of an answer, whatever its status.
 *
 * @returns false if the request has no origin, or pages of its origin may not read the answer
 */
export type CorsHeaders = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Compiles the options to the function that sets the headers. */
export function corsHeaders({ origins, credentials }: CorsOptions): CorsHeaders {
  const listed = new Set(origins === '*' ? [] : origins);
  const exposed = EXPOSED_HEADERS.join(', ');
  return ({ headers: { origin }, url = '' }, response) => {
    const isPublic = origins === '*' || PUBLIC_DOCUMENTS.test(url);
    // Otherwise a cache could give the answer for one origin to another.
    if (!isPublic) response.setHeader('Vary', 'Origin');
    if (origin === undefined || !(isPublic || listed.has(origin))) return false;
    response.setHeader('Access-Control-Allow-Origin', isPublic ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', exposed);
    if (credentials && !isPublic) response.setHeader('Access-Control-Allow-Credentials', 'true');
    return true;
  };
}

/**
 * Middleware: sets the CORS headers of each answer, and answers preflights. An `OPTIONS` request that is no preflight,
 * or comes from a page that may not read the answer, is passed on like any other.
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
    // All headers are allowed: the route decides what they mean.
    if (names !== undefined) response.setHeader('Access-Control-Allow-Headers', names);
    response.setHeader('Access-Control-Max-Age', PREFLIGHT_AGE);
    response.statusCode = 204;
    response.end();
  };
}

/**
 * Middleware for a gateway that allows no other origins: answers the preflights of the documents that all pages may
 * read. A client of MCP sends a header of its own with each request, so its browser sends a preflight first.
 */
export function publicDocumentsMiddleware() {
  const answer = corsMiddleware(corsHeaders({ origins: '*', credentials: false }));
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (request.method === 'OPTIONS' && PUBLIC_DOCUMENTS.test(request.url ?? ''))
      answer(request, response, next);
    else next();
  };
}
