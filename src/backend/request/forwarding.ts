import type { IncomingMessage } from 'node:http';
import { foldHeader, otherCookies } from '../../core/headers/index.js';
import { bearerToken } from '../../core/verify/index.js';
import {
  FORWARDED_HEADERS,
  forwardedFor,
  requestContext,
  type ReservedHeaders,
} from '../../http/index.js';

/** An allow-listed header, prepared. */
export interface AllowedHeader {
  /** Lower case. */
  readonly name: string;
  /** See `foldHeader`. */
  readonly folded: string;
}

/** Prepares an allow-list. */
export const allowedHeaders = (names: readonly string[]): readonly AllowedHeader[] =>
  names.map((name) => ({ name: name.toLowerCase(), folded: foldHeader(name) }));

/** The parts of a client's request that a backend gets. */
export interface Forwarding {
  readonly headers: readonly AllowedHeader[];
  /** Names of cookies, or `*`. */
  readonly cookies: ReadonlySet<string>;
  /** Headers that only the gateway sets, and cookies that carry tokens. */
  readonly reserved: Pick<ReservedHeaders, 'has' | 'hasCookie'>;
  /** True if the backend gets `X-Forwarded-*`, which describe the client's request. */
  readonly forwardedFor: boolean;
}

/**
 * Returns the headers for the backend: the client's allow-listed headers without those that are withheld, reserved, or
 * for this connection only (RFC 9110 section 7.6.1); the client's cookies without those that carry tokens; and the
 * headers that the gateway adds.
 *
 * @param withToken true: the verified token is forwarded
 */
export function forwardedHeaders(
  request: IncomingMessage,
  { headers: allowed, cookies, reserved, forwardedFor: tellsClient }: Forwarding,
  withToken = false,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const { id, withheldHeaders, backendHeaders } = requestContext(request);
  if (allowed.length > 0) {
    const hopByHop = connectionOptions(request);
    for (const { name, folded } of allowed) {
      const value = name === 'cookie' ? cookiesOf(request, reserved) : request.headers[name];
      if (value === undefined || reserved.has(folded)) continue;
      if (tellsClient && FORWARDED_HEADERS.has(folded)) continue;
      if (!withheldHeaders.includes(name) && !hopByHop.includes(name)) headers[name] = value;
    }
  }
  if (cookies.size > 0) {
    const cookie = cookiesOf(request, reserved, cookies);
    if (cookie !== undefined) headers.cookie = cookie;
  }
  if (tellsClient) Object.assign(headers, forwardedFor(request));
  if (withToken) Object.assign(headers, verifiedToken(request));
  headers['x-request-id'] = id;
  return Object.assign(headers, backendHeaders);
}

/** Returns the header that held the verified token; for a token of a cookie `Authorization`. */
function verifiedToken(request: IncomingMessage): Record<string, string> {
  const { verified } = requestContext(request);
  if (verified?.claims === undefined) return {};
  const { authHeaderName } = verified.policy;
  const presented = bearerToken(request, verified.policy);
  if (presented === undefined) return {};
  return presented.source === 'cookie'
    ? { authorization: `Bearer ${presented.token}` }
    : { [authHeaderName]: String(request.headers[authHeaderName]) };
}

/** Returns the client's cookies without those that hold a token. @param listed names of the cookies to keep, or `*` */
const cookiesOf = (
  { headers: { cookie } }: IncomingMessage,
  reserved: Forwarding['reserved'],
  listed: ReadonlySet<string> = ALL,
): string | undefined =>
  cookie === undefined
    ? undefined
    : otherCookies(
        cookie,
        (name) => reserved.hasCookie(name) || !(listed.has(name) || listed.has('*')),
      );

const ALL: ReadonlySet<string> = new Set(['*']);

/** Returns the names, in lower case, of the headers that the client declares to be for this connection only. */
function connectionOptions({ headers: { connection } }: IncomingMessage): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return [];
  return connection.split(',').map((option) => option.trim().toLowerCase());
}

/** Returns the allow-listed query parameters of a client's request, encoded and without `?`. It may be empty. */
export function forwardedQuery(request: IncomingMessage, allowed: readonly string[]): string {
  const mark = request.url?.indexOf('?') ?? -1;
  if (allowed.length === 0 || mark < 0) return '';
  const query = new URLSearchParams(request.url?.slice(mark + 1));
  const unknown = new Set(query.keys()).difference(new Set(allowed));
  for (const name of unknown) query.delete(name);
  return query.toString();
}
