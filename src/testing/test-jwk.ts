import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { algorithmSpec, type JwsAlgorithm } from '../core/jws/index.js';

const RSA_BITS = 2048;

/** A fresh private or secret JWK for `alg`. */
export function testJwk(alg: JwsAlgorithm, kid: string): JsonWebKey {
  return { ...material(alg), kid, alg, use: 'sig' };
}

function material(alg: JwsAlgorithm): JsonWebKey {
  const { kty, crv = '', minSecretBytes = 0 } = algorithmSpec(alg);
  switch (kty) {
    case 'oct':
      return { kty, k: randomBytes(minSecretBytes).toString('base64url') };
    case 'RSA':
      return generateKeyPairSync('rsa', { modulusLength: RSA_BITS }).privateKey.export(JWK);
    case 'EC':
      return generateKeyPairSync('ec', { namedCurve: crv }).privateKey.export(JWK);
    default:
      return generateKeyPairSync('ed25519').privateKey.export(JWK);
  }
}

const JWK = { format: 'jwk' } as const;
