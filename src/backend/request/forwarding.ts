import type { IncomingMessage } from 'node:http';
import { foldHeader, otherCookies } from '../../core/headers/index.js';
import { requestContext, type ReservedHeaders } from '../../http/index.js';

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

/**
 * What of a client's headers goes to the backend: the allow-listed ones without those that are
 * withheld, reserved, or for this connection only (RFC 9110 section 7.6.1), cookies without those that
 * carry tokens; and what the gateway adds to them.
 */
export function forwardedHeaders(
  request: IncomingMessage,
  allowed: readonly AllowedHeader[],
  reserved: Pick<ReservedHeaders, 'has' | 'hasCookie'>,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const { withheldHeaders, backendHeaders } = requestContext(request);
  if (allowed.length > 0) {
    const hopByHop = connectionOptions(request);
    for (const { name, folded } of allowed) {
      const value = name === 'cookie' ? cookiesOf(request, reserved) : request.headers[name];
      if (value === undefined || reserved.has(folded)) continue;
      if (!withheldHeaders.includes(name) && !hopByHop.includes(name)) headers[name] = value;
    }
  }
  return Object.assign(headers, backendHeaders);
}

const cookiesOf = (
  { headers: { cookie } }: IncomingMessage,
  reserved: Pick<ReservedHeaders, 'hasCookie'>,
): string | undefined =>
  cookie === undefined ? undefined : otherCookies(cookie, (name) => reserved.hasCookie(name));

/** The headers that the client declares to be for this connection only, lower case. */
function connectionOptions({ headers: { connection } }: IncomingMessage): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return [];
  return connection.split(',').map((option) => option.trim().toLowerCase());
}

/** The allow-listed query parameters of a client's request, encoded, without `?`; may be empty. */
export function forwardedQuery(request: IncomingMessage, allowed: readonly string[]): string {
  const mark = request.url?.indexOf('?') ?? -1;
  if (allowed.length === 0 || mark < 0) return '';
  const query = new URLSearchParams(request.url?.slice(mark + 1));
  const unknown = new Set(query.keys()).difference(new Set(allowed));
  for (const name of unknown) query.delete(name);
  return query.toString();
}
