import { createHmac, sign, timingSafeEqual, verify } from 'node:crypto';
import { algorithmSpec, type JwsAlgorithm } from './algorithms.js';
import type { JwsKey } from './jws-key.js';

/**
 * Signs `input`: synchronously where that is faster than a round trip to another thread (HMAC, ES256, EdDSA),
 * else on the thread pool.
 *
 * @param key must fit `alg` (see `keyMisfit`) and hold a signing part
 * @returns the signature in base64url
 * @throws TypeError when the key cannot sign
 */
export function signInput(alg: JwsAlgorithm, key: JwsKey, input: string): string | Promise<string> {
  const { hash, options, signsQuickly } = algorithmSpec(alg);
  const { signing } = key;
  if (signing === undefined) throw new TypeError(`kid '${key.kid}' cannot sign`);
  if (options === undefined)
    return createHmac(hash as string, signing)
      .update(input)
      .digest('base64url');
  if (signsQuickly === true)
    return sign(hash, Buffer.from(input), { ...options, key: signing }).toString('base64url');
  return new Promise((resolve, reject) => {
    sign(hash, Buffer.from(input), { ...options, key: signing }, (error, signature) =>
      error ? reject(error) : resolve(signature.toString('base64url')),
    );
  });
}

/** Returns the length that a signature will have in base64url, in characters. */
export function signatureLength(alg: JwsAlgorithm, { signing }: JwsKey): number {
  const modulusBits = (): number => signing?.asymmetricKeyDetails?.modulusLength ?? 0;
  const bytes = algorithmSpec(alg).signatureBytes ?? Math.ceil(modulusBits() / 8);
  return Math.ceil((bytes * 4) / 3);
}

/**
 * Verifies a signature over `input`: HMAC synchronously and in constant time, others on the thread pool.
 *
 * @param key must fit `alg` (see `keyMisfit`)
 * @returns false for every invalid signature, and for a key that cannot verify
 */
export function verifySignature(
  alg: JwsAlgorithm,
  key: JwsKey,
  input: string,
  signature: Buffer,
): boolean | Promise<boolean> {
  const { hash, options, signatureBytes } = algorithmSpec(alg);
  const { verifying } = key;
  if (verifying === undefined) return false;
  if (signatureBytes !== undefined && signature.length !== signatureBytes) return false;
  if (options === undefined)
    return timingSafeEqual(
      // A text of one character per byte: Node makes a buffer of its own memory for each digest that is a buffer.
      Buffer.from(
        createHmac(hash as string, verifying)
          .update(input)
          .digest('binary'),
        'binary',
      ),
      signature,
    );
  return new Promise((resolve) => {
    verify(hash, Buffer.from(input), { ...options, key: verifying }, signature, (error, valid) =>
      resolve(!error && valid),
    );
  });
}
