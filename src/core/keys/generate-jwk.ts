import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { algorithmSpec, type JwsAlgorithm } from '../jws/index.js';

/** Default size of an RSA modulus: about 128 bits of strength (NIST SP 800-57 part 1, table 2). */
export const DEFAULT_RSA_BITS = 3072;

/**
 * Generates a key for an algorithm: an HMAC secret as long as the hash, an RSA key, a key on the algorithm's curve, or
 * an ML-DSA key.
 *
 * @param rsaBits size of an RSA modulus in bits
 * @returns a private or secret JWK without `kid`, `alg` and `use` (RFC 7517 section 4)
 */
export function generateJwk(alg: JwsAlgorithm, rsaBits = DEFAULT_RSA_BITS): JsonWebKey {
  const { kty, crv = '', minSecretBytes = 0 } = algorithmSpec(alg);
  switch (kty) {
    case 'oct':
      return { kty, k: randomBytes(minSecretBytes).toString('base64url') };
    case 'RSA':
      return generateKeyPairSync('rsa', { modulusLength: rsaBits }).privateKey.export(JWK);
    case 'EC':
      return generateKeyPairSync('ec', { namedCurve: crv }).privateKey.export(JWK);
    case 'OKP':
      return generateKeyPairSync('ed25519').privateKey.export(JWK);
    default:
      return generateKeyPairSync(alg.toLowerCase() as 'ml-dsa-44').privateKey.export(JWK);
  }
}

const JWK = { format: 'jwk' } as const;
