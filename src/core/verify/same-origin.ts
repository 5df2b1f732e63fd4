import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * False for a state-changing request that a page of another origin may have caused (CSRF). Code that
 * takes credentials from cookies has to refuse it.
 *
 * `Sec-Fetch-Site` is the browser's own verdict and decides where it is there; else `Origin` has
 * to be the gateway's.
 *
 * @param publicUrl where browsers reach the gateway, e.g. `https://gateway.example`. Default: scheme
 * of the connection and the host the client addressed, which is right unless a proxy stands before
 */
export function isSameOrigin(request: IncomingMessage, publicUrl?: string): boolean {
  const { method = '', headers } = request;
  if (SAFE_METHODS.has(method)) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  const own = publicUrl === undefined ? addressedOrigin(request) : new URL(publicUrl).origin;
  return origin !== undefined && origin === own;
}

function addressedOrigin({ headers, socket }: IncomingMessage): string | undefined {
  if (headers.host === undefined) return undefined;
  const scheme = (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
  return `${scheme}://${headers.host.toLowerCase()}`;
}
