import type { IncomingMessage } from 'node:http';

/** Headers of one connection, or that a proxy writes itself (RFC 9110 section 7.6.1). Lower case. */
export const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'accept-encoding',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Beside those: what a claim must not become, since it means something else. */
const NO_CLAIM_HEADERS = new Set(['accept', 'authorization', 'cookie']);

/** Why a claim cannot become this header; `undefined` when it can. */
export function claimHeaderProblem(header: string): string | undefined {
  const name = header.toLowerCase();
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `'${header}' is not a header name`;
  return NEVER_FORWARDED.has(name) || NO_CLAIM_HEADERS.has(name)
    ? `cannot set the header ${name}`
    : undefined;
}

/** Backends often take names for one that differ only in such characters (CGI, WSGI: `X_User` is `X-User`). */
export const foldHeader = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

/** Headers for a backend call; lower-case names. */
export type BackendHeaders = Readonly<Record<string, string>>;

const WITHHELD = Symbol('signet.withheld-headers');
const ADDED = Symbol('signet.added-headers');
type Forwarding = IncomingMessage & {
  [WITHHELD]?: readonly string[];
  [ADDED]?: BackendHeaders;
};

/**
 * Keeps headers of this request from every backend call made on its behalf; `AuthGuard` withholds
 * what carried the token. For code that lets a credential end here.
 *
 * @param names lower-case header names
 */
export function withholdHeaders(request: IncomingMessage, names: readonly string[]): void {
  const target = request as Forwarding;
  const already = target[WITHHELD];
  target[WITHHELD] = already === undefined ? names : [...already, ...names];
}

/** Lower-case names of the headers that are withheld from backends. */
export const withheldHeaders = (request: IncomingMessage): readonly string[] =>
  (request as Forwarding)[WITHHELD] ?? [];

/** Adds headers to every backend call made on behalf of this request; the client's own never replace them. */
export function addBackendHeaders(request: IncomingMessage, headers: BackendHeaders): void {
  const target = request as Forwarding;
  target[ADDED] = { ...target[ADDED], ...headers };
}

/** Headers that were added to the backend calls of this request. */
export const addedBackendHeaders = (request: IncomingMessage): BackendHeaders | undefined =>
  (request as Forwarding)[ADDED];
