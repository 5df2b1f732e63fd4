import type { KeyObject } from 'node:crypto';
import { algorithmSpec, isSameAlgorithm, type JwsAlgorithm, type KeyType } from './algorithms.js';

/** A checked key, ready for `node:crypto`. Only `core/keys` creates such keys. */
export interface JwsKey {
  /** Key id, unique in its set. */
  readonly kid: string;
  readonly kty: KeyType;
  /** Curve of an EC or OKP key. */
  readonly crv?: string;
  /** The only algorithm of this key; absent when its JWK names none. */
  readonly alg?: JwsAlgorithm;
  /** Secret or private key; absent when only the public part is known or `key_ops` forbids signing. */
  readonly signing?: KeyObject;
  /** Secret or public key; absent when `key_ops` forbids verifying. */
  readonly verifying?: KeyObject;
}

/**
 * Returns why `key` cannot be used with `alg`, or `undefined` when it can.
 * A key is used with one algorithm (RFC 8725 section 3.1): type, curve, `alg` and, for HMAC, length have to fit.
 */
export function keyMisfit(key: JwsKey, alg: JwsAlgorithm): string | undefined {
  const spec = algorithmSpec(alg);
  if (key.kty !== spec.kty)
    return `${alg} needs a key of type ${spec.kty}, kid '${key.kid}' is ${key.kty}`;
  if (spec.crv !== undefined && key.crv !== spec.crv)
    return `${alg} needs curve ${spec.crv}, kid '${key.kid}' is on ${key.crv}`;
  if (key.alg !== undefined && !isSameAlgorithm(key.alg, alg))
    return `kid '${key.kid}' is for ${key.alg} only, not for ${alg}`;
  const bytes = (key.signing ?? key.verifying)?.symmetricKeySize;
  if (spec.minSecretBytes !== undefined && (bytes ?? 0) < spec.minSecretBytes)
    return `${alg} needs a secret of at least ${spec.minSecretBytes} bytes, kid '${key.kid}' has ${bytes}`;
  return undefined;
}
