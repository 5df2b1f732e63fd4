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

/** Headers for a backend call; lower-case names, a list for several lines of one name. */
export type BackendHeaders = Readonly<Record<string, string | string[]>>;
