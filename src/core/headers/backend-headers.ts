/** Headers that belong to one connection, or that a proxy writes itself (RFC 9110 section 7.6.1). Lower case. */
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

/** Further headers that no claim may set, since they have another meaning. */
const NO_CLAIM_HEADERS = new Set(['accept', 'authorization', 'cookie']);

/** Returns why a claim cannot set this header, or `undefined` when it can. */
export function claimHeaderProblem(header: string): string | undefined {
  const name = header.toLowerCase();
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `'${header}' is not a header name`;
  return NEVER_FORWARDED.has(name) || NO_CLAIM_HEADERS.has(name)
    ? `cannot set the header ${name}`
    : undefined;
}

/** Gives all names that a backend may take for the same header one form (CGI, WSGI: `X_User` is `X-User`). */
export const foldHeader = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

/**
 * Names of the cookies with the tokens of a session. Browsers accept a `__Host-` cookie only with Secure,
 * without Domain and with the path `/` (RFC 6265bis).
 */
export const SESSION_COOKIES = {
  access_token: '__Host-access_token',
  refresh_token: '__Host-refresh_token',
} as const;

/**
 * Removes the cookies for which `isReserved` is true from a `Cookie` header.
 *
 * @returns the other cookies, or `undefined` when there are none
 */
export function otherCookies(
  header: string,
  isReserved: (name: string) => boolean,
): string | undefined {
  const others = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => {
      const [name = ''] = pair.split('=', 1);
      return name !== '' && !isReserved(name.trim());
    });
  return others.length === 0 ? undefined : others.join('; ');
}

/** Headers of a backend call by lower-case name. A list stands for several lines with the same name. */
export type BackendHeaders = Readonly<Record<string, string | string[]>>;
