import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** A request, with the target that it had before a router took parts of it away (Express). */
export type AddressedRequest = Pick<IncomingMessage, 'headers' | 'socket' | 'url'> & {
  readonly originalUrl?: string;
};

/** How a request reached the application. */
export interface Addressing {
  /**
   * Where clients reach the application, e.g. `https://gateway.example`. Default: scheme and host that the
   * client addressed, which is whatever it writes into its headers.
   */
  readonly publicUrl?: string;
  /** The peer is a proxy that is trusted: its `X-Forwarded-Proto` and `X-Forwarded-Host` count. */
  readonly trustsPeer: boolean;
}

/** Printable ASCII without the backslash, which parsers of URLs turn into a slash. */
const HTTP_URL = /^https?:\/\/[!-[\]-~]+$/i;
const ABSOLUTE_FORM = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/is;
/** Nothing but a name and a port: a slash or a question mark would move the path. */
const AUTHORITY = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const UNRESERVED = /^[\w.~-]$/;

/**
 * A URL in the form in which two spellings of one URL are equal (RFC 3986 sections 6.2.2 and 6.2.3):
 * scheme and host in lower case, no default port, no dot segments, escapes in upper case and only
 * where they are needed. Query and fragment are left out, as `htu` is compared (RFC 9449 section 4.3).
 *
 * @returns `undefined` for what is no http(s) URL, and for one with a user name
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
 * The URL that a client addressed, normalized as by {@link normalizeUrl}.
 *
 * @returns `undefined` where the request names no valid one
 */
export function requestUrl(request: AddressedRequest, addressing: Addressing): string | undefined {
  const base = requestBase(request, addressing);
  return base === undefined ? undefined : normalizeUrl(base + targetOf(request).path);
}

/**
 * Where a client reached the application, without a slash at its end: `publicUrl`, or scheme and host that it
 * addressed.
 *
 * @returns `undefined` where the request names no valid ones
 */
export function requestBase(
  request: AddressedRequest,
  { publicUrl, trustsPeer }: Addressing,
): string | undefined {
  return publicUrl === undefined
    ? addressedBase(request, targetOf(request).authority, trustsPeer)
    : withoutSlash(new URL(publicUrl));
}

/** All that RFC 3986 section 3.3 allows in a path: nothing of it ends a quoted string. */
const PATH = /^\/[\w.~!$&'()*+,;=:@%/-]*$/;

/** Path of a request, without the query; `undefined` for what is no path of a URL. */
export function requestPath(request: AddressedRequest): string | undefined {
  const [path = ''] = targetOf(request).path.split('?', 1);
  return PATH.test(path) ? path : undefined;
}

/** RFC 9112 section 3.2.2: a proxy writes the whole URL, and its host counts, not that of the header. */
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

/** Which requests count as the application's own. */
export interface OwnOrigin extends Addressing {
  /** Origins beside the own one whose pages may do as its own pages. Default: none. */
  readonly trustedOrigins?: readonly string[];
}

/**
 * False for a state-changing request that a page of another origin may have caused (CSRF). Code that
 * takes credentials from cookies, or sets them, has to refuse it.
 *
 * An `Origin` that is trusted is enough. `Sec-Fetch-Site` is the browser's own verdict and decides for all
 * others where it is there; else `Origin` has to be the application's, in whatever spelling.
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

/** An `Origin` header in the spelling of `URL.origin`; `undefined` for what is none of http or https. */
function originOf(header = ''): string | undefined {
  const [, authority] = /^https?:\/\/(.*)$/i.exec(header) ?? [];
  return authority !== undefined && AUTHORITY.test(authority)
    ? URL.parse(header)?.origin
    : undefined;
}
