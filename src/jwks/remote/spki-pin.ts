import { createHash, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import { KeyError } from '../../core/keys/index.js';

/** A SHA-256 in base64url, without padding. */
const PIN = /^[\w-]{43}$/;

/** Returns the pin of a certificate: base64url SHA-256 of its SubjectPublicKeyInfo (as in RFC 7469 section 2.4). */
export function spkiPin(certificate: Buffer | string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}

/**
 * Creates a check of the host name, as usual, and of the pins.
 *
 * @param match `leaf`: only the server's own certificate counts; `chain`: any certificate that it sent and
 * that was verified, as KrakenD does. A pin of an authority is matched by all of its customers.
 * @throws KeyError when a pin is malformed
 * @returns the option `checkServerIdentity` of `tls.connect`. It runs after the chain was verified, never instead
 */
export function identityCheck(
  pins: readonly string[],
  match: 'leaf' | 'chain',
): (host: string, certificate: PeerCertificate) => Error | undefined {
  if (!pins.every((pin) => PIN.test(pin)))
    throw new KeyError('a fingerprint is not the SHA-256 of a public key in base64url');
  return (host, certificate) => {
    const mismatch = checkServerIdentity(host, certificate);
    if (mismatch !== undefined || pins.length === 0) return mismatch;
    const candidates =
      match === 'leaf' ? [certificate] : chainOf(certificate as DetailedPeerCertificate);
    return candidates.some(({ raw }) => pins.includes(spkiPin(raw)))
      ? undefined
      : new KeyError("the server's public key matches none of the fingerprints");
  };
}

/** Returns a certificate and its issuers, up to the root, which is its own issuer. */
function chainOf(leaf: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain = [leaf];
  for (
    let next: DetailedPeerCertificate | undefined = leaf.issuerCertificate;
    next !== undefined && !chain.includes(next);
    next = next.issuerCertificate
  )
    chain.push(next);
  return chain;
}
