import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { isJsonObject } from '../../core/json/index.js';
import { algorithmSpec, type JwsAlgorithm } from '../../core/jws/index.js';
import { thumbprint, type KeyLifecycle } from './gateway-keys.js';
import type { Jwk } from './key-file-contents.js';

/** About 128 bits of strength (NIST SP 800-57 part 1, table 2). */
export const DEFAULT_RSA_BITS = 3072;

/**
 * A fresh private or secret JWK: an HMAC secret as long as the hash, RSA of `bits`, or the curve of
 * the algorithm.
 *
 * @param kid default: the RFC 7638 thumbprint. Of a random secret it gives nothing away (section 7)
 */
export async function createJwk(
  alg: JwsAlgorithm,
  kid?: string,
  bits = DEFAULT_RSA_BITS,
): Promise<Jwk> {
  for (;;) {
    const material = await createMaterial(alg, bits);
    const print = thumbprint(material);
    // On a command line, a kid that begins with a hyphen looks like an option.
    if (kid === undefined && print.startsWith('-')) continue;
    const { kty, ...rest } = material;
    return { kty, kid: kid ?? print, alg, use: 'sig', ...rest };
  }
}

async function createMaterial(alg: JwsAlgorithm, bits: number) {
  const { minSecretBytes } = algorithmSpec(alg);
  if (minSecretBytes !== undefined)
    return { kty: 'oct', k: randomBytes(minSecretBytes).toString('base64url') };
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: bits });
  return exportJWK(privateKey);
}

/** A JWK with another lifecycle, in its member `signet`. */
export function withLifecycle(jwk: Jwk, { state, notBefore, notAfter }: KeyLifecycle): Jwk {
  const others = isJsonObject(jwk.signet) ? jwk.signet : {};
  return { ...jwk, signet: { ...others, state, not_before: notBefore, not_after: notAfter } };
}
