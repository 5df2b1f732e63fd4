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

/**
 * Cookies that carry the tokens of a session. `__Host-` makes browsers insist on Secure, on no Domain and on
 * the path `/` (RFC 6265bis).
 */
export const SESSION_COOKIES = {
  access_token: '__Host-access_token',
  refresh_token: '__Host-refresh_token',
} as const;

/**
 * A `Cookie` header without the cookies that `isReserved` names.
 *
 * @returns `undefined` where nothing is left
 */
export function otherCookies(
  header: string,
  isReserved: (name: string) => boolean,
): string | undefined {
  const others = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !isReserved((pair.split('=', 1)[0] as string).trim()));
  return others.length === 0 ? undefined : others.join('; ');
}

/** Headers for a backend call; lower-case names, a list for several lines of one name. */
export type BackendHeaders = Readonly<Record<string, string | string[]>>;
