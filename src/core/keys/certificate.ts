import { createHash, X509Certificate, type JsonWebKey } from 'node:crypto';
import { KeyError } from './key.error.js';
import { thumbprint } from './thumbprint.js';

/** Identifiers of the certificate of a key (RFC 7517 sections 4.8 and 4.9). */
export interface CertificateIds {
  readonly x5t?: string;
  readonly x5tS256?: string;
}

/**
 * The certificate thumbprints of a JWK: as it states them, or computed from `x5c`.
 *
 * @throws KeyError when `x5c` is not for this key, or contradicts what is stated
 */
export function certificateIds(
  jwk: Readonly<Record<string, unknown>>,
  publicJwk: JsonWebKey,
  kid: string,
): CertificateIds {
  const stated = { x5t: text(jwk.x5t), x5tS256: text(jwk['x5t#S256']) };
  const [first] = Array.isArray(jwk.x5c) ? (jwk.x5c as unknown[]) : [];
  if (typeof first !== 'string') return stated;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(first, 'base64'));
  } catch {
    throw new KeyError(`kid '${kid}': x5c is not a certificate`);
  }
  if (thumbprint(certificate.publicKey.export({ format: 'jwk' })) !== thumbprint(publicJwk))
    throw new KeyError(`kid '${kid}': the certificate in x5c is for another key`);
  const computed = {
    x5t: createHash('sha1').update(certificate.raw).digest('base64url'),
    x5tS256: createHash('sha256').update(certificate.raw).digest('base64url'),
  };
  if (
    (stated.x5t ?? computed.x5t) !== computed.x5t ||
    (stated.x5tS256 ?? computed.x5tS256) !== computed.x5tS256
  )
    throw new KeyError(`kid '${kid}': x5t does not fit the certificate in x5c`);
  return computed;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
