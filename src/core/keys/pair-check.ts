import { randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { KeyError } from './key.error.js';

/**
 * Signs and verifies once, so that a JWK whose private part does not belong to its public part
 * is found when it is loaded and not by every client.
 *
 * @throws KeyError
 */
export function assertPairFits(kid: string, privateKey: KeyObject, publicKey: KeyObject): void {
  const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const probe = randomBytes(32);
  let fits = false;
  try {
    fits = verify(hash, probe, publicKey, sign(hash, probe, privateKey));
  } catch {
    // An inconsistent key makes OpenSSL throw instead of returning a bad signature.
  }
  if (!fits) throw new KeyError(`kid '${kid}': the private part does not fit the public part`);
}
