import type { IncomingMessage } from 'node:http';

const ABSOLUTE_FORM = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)([^#]*)/i;
const SLASH = 0x2f;

/**
 * Gives a request the form of target that all but proxies send: a path and a query. A whole URL
 * (`POST http://gateway/token`, RFC 9112 section 3.2.2) loses its host, which takes the place of the
 * header, and a fragment, which no request should have, is cut off. So nothing behind this has to know
 * of other forms.
 */
export function toOriginForm(request: Pick<IncomingMessage, 'url' | 'headers'>): void {
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
