import type { IncomingMessage } from 'node:http';

const ABSOLUTE_FORM = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)([^#]*)/i;
/** Encoded letters, digits, `-`, `_` and `~`. A dot stays encoded, since it could make a segment that means "up". */
const ENCODED_UNRESERVED = /%(?:2d|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi;
const SLASH = 0x2f;

/**
 * Converts the target of a request to a path and a query. A whole URL (`POST http://gateway/token`, RFC 9112 section
 * 3.2.2) loses its host, which replaces the Host header. A fragment, which no request should have, is removed. So later
 * code has to know only one form.
 *
 * The path gets one spelling: `/%74oken` becomes `/token` (RFC 3986 section 6.2.2.2).
 */
export function toOriginForm(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
  toPathAndQuery(request);
  const { url = '' } = request;
  if (!url.includes('%')) return;
  const [path = ''] = url.split('?', 1);
  request.url = path.replace(ENCODED_UNRESERVED, decodeURIComponent) + url.slice(path.length);
}

function toPathAndQuery(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
  const { url = '' } = request;
  if (url.charCodeAt(0) === SLASH) {
    const fragment = url.indexOf('#');
    if (fragment >= 0) request.url = url.slice(0, fragment);
    return;
  }
  const [, host, rest = ''] = ABSOLUTE_FORM.exec(url) ?? [];
  if (host === undefined) return;
  request.headers.host = host;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}
