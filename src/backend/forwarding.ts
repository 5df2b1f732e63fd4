import type { IncomingMessage } from 'node:http';
import { withheldHeaders } from '../common/forwarding.js';

/** The allow-listed headers of a client's request, without those that are withheld. */
export function forwardedHeaders(
  request: IncomingMessage,
  allowed: readonly string[],
): Record<string, string | string[]> {
  const withheld = withheldHeaders(request);
  const headers: Record<string, string | string[]> = {};
  for (const name of allowed) {
    const value = request.headers[name];
    if (value !== undefined && !withheld.includes(name)) headers[name] = value;
  }
  return headers;
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
