import { hash, X509Certificate } from 'node:crypto';

/** Begin and parts of Envoy's header `X-Forwarded-Client-Cert`: `name=value`, maybe in quotes. */
const XFCC = /^(?:By|Hash|Cert|Chain|Subject|URI|DNS)=/i;
const XFCC_PAIR = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)(?:;|$)/y;
/** One certificate, optionally followed by those of its issuers, and nothing else. */
const PEM =
  /^-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----(?:\s*-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----)*\s*$/;
const BASE64 = /^[A-Za-z\d+/]+={0,2}$/;
const SHA256_HEX = /^[\da-f]{64}$/i;

/** SHA-256 thumbprint of a certificate in DER, base64url (RFC 8705 section 3.1). */
export const certificateThumbprint = (der: Buffer): string => hash('sha256', der, 'base64url');

/**
 * Returns the thumbprint of the client certificate in a header of a proxy. The formats are PEM, escaped as in URLs
 * (nginx `$ssl_client_escaped_cert`, AWS), DER in base64 (HAProxy, Traefik), the same between colons (RFC 9440), and
 * Envoy's `X-Forwarded-Client-Cert` with one element.
 *
 * @returns `undefined` for any other value, e.g. a list of several certificates
 */
export function thumbprintOfHeader(header: string): string | undefined {
  const text = header.trim();
  if (!XFCC.test(text)) return thumbprintOf(text);
  const pairs = xfccPairs(text);
  const [cert, sha256] = [pairs?.get('cert'), pairs?.get('hash')];
  if (cert !== undefined && cert !== '') return thumbprintOf(cert);
  return sha256 !== undefined && SHA256_HEX.test(sha256)
    ? Buffer.from(sha256, 'hex').toString('base64url')
    : undefined;
}

/** Returns the parts by lower-case name; `undefined` for several elements, and for a second `Cert` or `Hash`. */
function xfccPairs(text: string): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>();
  XFCC_PAIR.lastIndex = 0;
  while (XFCC_PAIR.lastIndex < text.length) {
    const [, name = '', value = ''] = XFCC_PAIR.exec(text) ?? [];
    const key = name.toLowerCase();
    // Names of SANs (URI, DNS) may occur several times.
    if (name === '' || (pairs.has(key) && (key === 'cert' || key === 'hash'))) return undefined;
    pairs.set(key, value.startsWith('"') ? value.slice(1, -1) : value);
  }
  return pairs;
}

function thumbprintOf(text: string): string | undefined {
  const plain = text.includes('%') ? unescape(text) : text;
  const base64 = PEM.exec(plain)?.[1]?.replace(/\s/g, '') ?? plain.replace(/^:(.*):$/s, '$1');
  if (!BASE64.test(base64)) return undefined;
  try {
    return certificateThumbprint(new X509Certificate(Buffer.from(base64, 'base64')).raw);
  } catch {
    return undefined;
  }
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
