import { generateKeyPair, type JsonWebKey } from 'node:crypto';
import { promisify } from 'node:util';
import { isJsonObject } from '../../../core/json/index.js';
import { algorithmSpec, type JwsAlgorithm } from '../../../core/jws/index.js';
import {
  DEFAULT_RSA_BITS,
  generateJwk,
  thumbprint,
  type KeyLifecycle,
} from '../../../core/keys/index.js';
import type { Jwk } from '../files/key-files.js';

/**
 * Makes a new private or secret JWK with `kid`, `alg` and `use`.
 *
 * @param kid Default: the RFC 7638 thumbprint. That of a random secret reveals nothing (section 7)
 * @param rsaBits size of an RSA modulus in bits. Default 3072
 */
export async function createJwk(alg: JwsAlgorithm, kid?: string, rsaBits?: number): Promise<Jwk> {
  for (;;) {
    const material = await newMaterial(alg, rsaBits);
    const print = thumbprint(material);
    // On a command line, a kid that begins with a hyphen looks like an option.
    if (kid === undefined && print.startsWith('-')) continue;
    const { kty, ...rest } = material;
    return { kty, kid: kid ?? print, alg, use: 'sig', ...rest };
  }
}

/** Makes the key members. An RSA key takes seconds, so it is generated on another thread. */
async function newMaterial(alg: JwsAlgorithm, rsaBits = DEFAULT_RSA_BITS): Promise<JsonWebKey> {
  if (algorithmSpec(alg).kty !== 'RSA') return generateJwk(alg);
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: rsaBits });
  return privateKey.export({ format: 'jwk' });
}

/** Returns the JWK with another lifecycle, which is its member `signet`. */
export function withLifecycle(jwk: Jwk, { state, notBefore, notAfter }: KeyLifecycle): Jwk {
  const others = isJsonObject(jwk.signet) ? jwk.signet : {};
  return { ...jwk, signet: { ...others, state, not_before: notBefore, not_after: notAfter } };
}
