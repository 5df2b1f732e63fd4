import { createHash, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { KeyError } from '../core/keys/index.js';

/** A SHA-256 in base64url, without padding. */
const PIN = /^[\w-]{43}$/;

/** The pin of a certificate: base64url SHA-256 of its SubjectPublicKeyInfo (as in RFC 7469 section 2.4). */
export function spkiPin(certificate: Buffer | string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}

/**
 * Checks the host name as usual, then the pins. Only the server's own certificate counts: if any
 * certificate of the chain could match, every customer of that authority would.
 *
 * @throws KeyError when a pin is not one
 * @returns what `tls.connect` takes; it runs after the chain was verified, never instead of that
 */
export function identityCheck(
  pins: readonly string[],
): (host: string, certificate: PeerCertificate) => Error | undefined {
  if (!pins.every((pin) => PIN.test(pin)))
    throw new KeyError('a fingerprint is not the SHA-256 of a public key in base64url');
  return (host, certificate) => {
    const mismatch = checkServerIdentity(host, certificate);
    if (mismatch !== undefined || pins.length === 0) return mismatch;
    return pins.includes(spkiPin(certificate.raw))
      ? undefined
      : new KeyError("the server's public key matches none of the fingerprints");
  };
}
