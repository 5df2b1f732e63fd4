import type { IncomingMessage } from 'node:http';
import { TokenRefusedError } from '../errors/index.js';

/** The header and the cookie that may carry the token of a request. */
export interface TokenPlaces {
  /** Lower case. */
  authHeaderName: string;
  cookieKey: string | undefined;
}

const SCHEME = /^(Bearer|DPoP)(?: +(.*))?$/i;

/** An unchecked token and its source. Browsers send cookies by themselves, this header never. */
export interface BearerToken {
  readonly token: string;
  readonly source: 'header' | 'cookie';
  /** `undefined` for a cookie, and for a header with a bare token. */
  readonly scheme: 'Bearer' | 'DPoP' | undefined;
}

/**
 * Reads the token of a request (RFC 6750 section 2.1, RFC 9449 section 7.1): from the header, or from the cookie
 * if one is configured and the header contains no token. A header other than `Authorization` may contain
 * the bare token. Returns `undefined` if there is no token, or an empty one.
 *
 * @throws TokenRefusedError `token_ambiguous` if the request contains two tokens (RFC 6750 section 2: one
 * method per request)
 */
export function bearerToken(
  request: IncomingMessage,
  { authHeaderName, cookieKey }: TokenPlaces,
): BearerToken | undefined {
  const ofHeader = tokenOfHeader(request, authHeaderName);
  if (ofHeader !== undefined) return ofHeader.token === '' ? undefined : ofHeader;
  const token = tokenOfCookie(request, cookieKey);
  return token === undefined || token === ''
    ? undefined
    : { token, source: 'cookie', scheme: undefined };
}

/** Returns the refusal of a request without a token on a route that needs one. */
export function tokenMissing(
  request: IncomingMessage,
  { authHeaderName, cookieKey }: TokenPlaces,
): TokenRefusedError {
  const cookie = cookieKey === undefined ? '' : ` or the ${cookieKey} cookie`;
  const hint = schemeHint(request.headers[authHeaderName]);
  return new TokenRefusedError(
    'token_missing',
    `no bearer token in the ${authHeaderName} header${cookie}${hint}`,
  );
}

/** Explains a value without `Bearer`. Its first word is quoted only if it cannot be a credential itself. */
function schemeHint(value: string | string[] | undefined): string {
  if (typeof value !== 'string' || value.trim() === '' || SCHEME.test(value)) return '';
  const [, scheme] = /^([A-Za-z][A-Za-z-]{0,14}) +\S/.exec(value) ?? [];
  return scheme === undefined
    ? ': write Bearer and a blank before the token'
    : `: its scheme is ${scheme}, not Bearer`;
}

function tokenOfHeader(request: IncomingMessage, name: string): BearerToken | undefined {
  const value = request.headers[name];
  if (typeof value !== 'string') return undefined;
  // Node.js keeps the first of several headers; a proxy may have read the last one.
  if (countHeader(request, name) > 1)
    throw new TokenRefusedError('token_ambiguous', `there is more than one ${name} header`);
  const [, scheme, credentials] = SCHEME.exec(value) ?? [];
  const token = scheme === undefined ? bareToken(value, name) : credentials?.trimEnd();
  if (token === undefined) return undefined;
  if (hasQueryToken(request))
    throw new TokenRefusedError(
      'token_ambiguous',
      'there is a token in the header and one in the URL',
    );
  return { token, source: 'header', scheme: schemeNamed(scheme) };
}

function schemeNamed(scheme: string | undefined): BearerToken['scheme'] {
  if (scheme === undefined) return undefined;
  return scheme.length === 'DPoP'.length ? 'DPoP' : 'Bearer';
}

/** Returns the value as a bare token. In `Authorization`, a value without our schemes belongs to another scheme. */
const bareToken = (value: string, name: string): string | undefined =>
  name === 'authorization' || value === '' ? undefined : value;

function countHeader({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (header.length === name.length && header.toLowerCase() === name) count++;
  }
  return count;
}

function hasQueryToken({ url = '' }: IncomingMessage): boolean {
  const mark = url.indexOf('?');
  return mark >= 0 && new URLSearchParams(url.slice(mark)).has('access_token');
}

/** Returns the value of a cookie. @throws TokenRefusedError `token_ambiguous` for several cookies of that name */
export function tokenOfCookie(
  request: IncomingMessage,
  key: string | undefined,
): string | undefined {
  const { cookie } = request.headers;
  if (key === undefined || cookie === undefined) return undefined;
  const values = cookie
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${key}=`))
    .map((pair) => pair.slice(key.length + 1).replace(/^"(.*)"$/, '$1'));
  if (values.length > 1)
    throw new TokenRefusedError('token_ambiguous', `there is more than one ${key} cookie`);
  return values[0];
}
