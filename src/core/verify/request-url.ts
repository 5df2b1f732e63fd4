import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** A request with its original target: a router of Express removes parts of `url`. */
export type AddressedRequest = Pick<IncomingMessage, 'headers' | 'socket' | 'url'> & {
  readonly originalUrl?: string;
};

/** How a request reached the application. */
export interface Addressing {
  /**
   * URL at which clients reach the application, e.g. `https://gateway.example`. Default: the scheme and host that the
   * client addressed. A client may write any host into its headers.
   */
  readonly publicUrl?: string;
  /** True if the peer is a trusted proxy, whose `X-Forwarded-Proto` and `X-Forwarded-Host` are used. */
  readonly trustsPeer: boolean;
}

/** Printable ASCII without the backslash, which URL parsers turn into a slash. */
const HTTP_URL = /^https?:\/\/[!-[\]-~]+$/i;
const ABSOLUTE_FORM = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/is;
/** A host name and a port only: after a slash or a question mark the path would begin elsewhere. */
const AUTHORITY = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const UNRESERVED = /^[\w.~-]$/;

/**
 * Normalizes a URL, so that two spellings of it are equal (RFC 3986 sections 6.2.2 and 6.2.3): scheme and host in
 * lower case, no default port, no dot segments, escapes in upper case and only where they are needed. Query and
 * fragment are removed, since `htu` is compared without them (RFC 9449 section 4.3).
 *
 * @returns `undefined` for a text that is no http(s) URL, and for a URL with a user name or password
 */
export function normalizeUrl(text: string): string | undefined {
  const url = HTTP_URL.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replace(/%[\da-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
  return `${url.protocol}//${url.host}${path}`;
}

/**
 * Returns the URL that a client addressed, normalized by {@link normalizeUrl}; `undefined` if the request names no
 * valid one.
 */
export function requestUrl(request: AddressedRequest, addressing: Addressing): string | undefined {
  const base = requestBase(request, addressing);
  return base === undefined ? undefined : normalizeUrl(base + targetOf(request).path);
}

/**
 * Returns the URL of the application without a slash at its end: `publicUrl`, or the scheme and host that the client
 * addressed; `undefined` if the request names no valid ones.
 */
export function requestBase(
  request: AddressedRequest,
  { publicUrl, trustsPeer }: Addressing,
): string | undefined {
  return publicUrl === undefined
    ? addressedBase(request, targetOf(request).authority, trustsPeer)
    : withoutSlash(new URL(publicUrl));
}

/** The characters that RFC 3986 section 3.3 allows in a path. None of them ends a quoted string. */
const PATH = /^\/[\w.~!$&'()*+,;=:@%/-]*$/;

/** Returns the path of a request without its query; `undefined` if it is not valid. */
export function requestPath(request: AddressedRequest): string | undefined {
  const [path = ''] = targetOf(request).path.split('?', 1);
  return PATH.test(path) ? path : undefined;
}

/** Splits the request target. In absolute form, its host replaces that of `Host` (RFC 9112 section 3.2.2). */
function targetOf(request: AddressedRequest): { authority?: string; path: string } {
  const target = request.originalUrl ?? request.url ?? '';
  const absolute = ABSOLUTE_FORM.exec(target);
  return { authority: absolute?.[1], path: absolute?.[2] ?? target };
}

const withoutSlash = ({ origin, pathname }: URL): string => origin + pathname.replace(/\/$/, '');

function addressedBase(
  { headers, socket }: AddressedRequest,
  authority: string | undefined,
  trustsPeer: boolean,
): string | undefined {
  const forwarded = (name: string): string | undefined =>
    trustsPeer
      ? String(headers[name] ?? '')
          .split(',', 1)[0]
          ?.trim() || undefined
      : undefined;
  const encrypted = (socket as Partial<TLSSocket>).encrypted === true;
  const scheme = forwarded('x-forwarded-proto') ?? (encrypted ? 'https' : 'http');
  const host = forwarded('x-forwarded-host') ?? authority ?? headers.host ?? '';
  return /^https?$/i.test(scheme) && AUTHORITY.test(host) ? `${scheme}://${host}` : undefined;
}

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The origins whose pages may send state-changing requests. */
export interface OwnOrigin extends Addressing {
  /** Origins whose pages have the same rights as the application's own pages. Default: none. */
  readonly trustedOrigins?: readonly string[];
}

/**
 * False for a state-changing request that a page of another origin may have caused (CSRF). Code that reads
 * credentials from cookies, or sets cookies, has to refuse it.
 *
 * A request from a trusted `Origin` passes. For all others the header `Sec-Fetch-Site` decides, which the browser
 * itself sets. Without it, `Origin` has to be that of the application, in any spelling.
 */
export function isSameOrigin(request: IncomingMessage, own: OwnOrigin): boolean {
  const { method = '', headers } = request;
  if (SAFE_METHODS.has(method)) return true;
  const { origin } = headers;
  if (origin !== undefined && own.trustedOrigins?.includes(origin) === true) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const expected = URL.parse(requestBase(request, own) ?? '')?.origin;
  return expected !== undefined && originOf(origin) === expected;
}

/** Returns an `Origin` header in the spelling of `URL.origin`; `undefined` if it is no valid http(s) origin. */
function originOf(header = ''): string | undefined {
  const [, authority] = /^https?:\/\/(.*)$/i.exec(header) ?? [];
  return authority !== undefined && AUTHORITY.test(authority)
    ? URL.parse(header)?.origin
    : undefined;
}
