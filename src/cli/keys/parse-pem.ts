import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CommandError } from '../command.error.js';
import type { KeyMaterial } from './read-material.js';

/**
 * A private or public key in PEM: PKCS#8, PKCS#1, SEC1, SPKI, or the key of a certificate.
 *
 * @throws CommandError naming what is wrong, never any of the contents
 */
export function parsePem(pem: string): KeyMaterial {
  if (/ENCRYPTED/.test(pem))
    throw new CommandError('the PEM is encrypted; first: openssl pkey -in … -out …');
  const isPrivate = pem.includes('PRIVATE KEY-----');
  let key: KeyObject;
  try {
    key = isPrivate ? createPrivateKey(pem) : createPublicKey(pem);
  } catch {
    throw new CommandError('the PEM cannot be read: damaged, or not a key');
  }
  const type = key.asymmetricKeyType ?? 'unknown';
  try {
    return { material: key.export({ format: 'jwk' }), description: `${key.type} ${type} key` };
  } catch {
    throw new CommandError(`a key of type ${type} cannot be a JWK that signs`);
  }
}
