import type { JsonWebKey } from 'node:crypto';
import { decodeBase64url } from '../jws/index.js';
import { KeyError } from './key.error.js';

const MIN_MODULUS_BITS = 2048;
const MAX_MODULUS_BITS = 16_384;
const MAX_EXPONENT_BYTES = 8;

/**
 * RFC 7518 section 3.3 (at least 2048 bits) and FIPS 186-5 section A.1.1 (an odd exponent above 2^16).
 * The upper bounds keep a hostile key from making each verification expensive.
 *
 * @throws KeyError
 */
export function assertRsaStrength(jwk: JsonWebKey, kid: string): void {
  const modulus = decodeBase64url(jwk.n ?? '') ?? Buffer.alloc(0);
  const exponent = decodeBase64url(jwk.e ?? '') ?? Buffer.alloc(0);
  const firstByte = modulus.findIndex((byte) => byte !== 0);
  const bits =
    firstByte < 0 ? 0 : (modulus.length - firstByte) * 8 - Math.clz32(modulus[firstByte] ?? 0) + 24;
  if (bits < MIN_MODULUS_BITS || bits > MAX_MODULUS_BITS)
    throw new KeyError(
      `kid '${kid}' is an RSA key of ${bits} bits; at least ${MIN_MODULUS_BITS} are needed`,
    );
  const e = BigInt(`0x${exponent.toString('hex') || '0'}`);
  if (exponent.length > MAX_EXPONENT_BYTES || e <= 65_536n || e % 2n === 0n)
    throw new KeyError(`kid '${kid}' has an unsafe RSA exponent; 65537 is the usual one`);
}

/**
 * A signature is made from the primes, so a wrong `d` would go unnoticed by a trial signature.
 *
 * @throws KeyError when the private members do not belong together (RFC 8017 section 3.2)
 */
export function assertRsaConsistency(jwk: JsonWebKey, kid: string): void {
  const [n, e, d, p, q] = ['n', 'e', 'd', 'p', 'q'].map((name) => toInteger(jwk[name])) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const fits =
    p > 1n && q > 1n && p * q === n && (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n;
  if (!fits) throw new KeyError(`kid '${kid}': the private part does not fit the public part`);
}

const toInteger = (member: unknown): bigint =>
  BigInt(`0x${Buffer.from(String(member), 'base64url').toString('hex') || '0'}`);
