import {
  createHash,
  randomBytes,
  sign,
  verify,
  X509Certificate,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { decodeBase64url } from '../jws/index.js';
import { KeyError, quote } from './key.error.js';
import { thumbprint } from './thumbprint.js';

/*
 * The checks of a well-formed key: it has to be allowed to sign or verify, strong, consistent, and the key of its
 * certificate. `importJwk` calls them in turn.
 */

/**
 * Reads from `use` and `key_ops` what a JWK may be used for (RFC 7517 sections 4.2 and 4.3).
 *
 * @throws KeyError for a key that is not for signatures, or if one of the two members is malformed
 */
export function assertKeyOperations(
  jwk: Record<string, unknown>,
  kid: string,
): { sign: boolean; verify: boolean } {
  const { use, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig')
    throw new KeyError(`kid '${kid}' is for use ${quote(use)}, not for signatures ('sig')`);
  if (operations === undefined) return { sign: true, verify: true };
  if (!Array.isArray(operations) || new Set(operations).size !== operations.length)
    throw new KeyError(`kid '${kid}': key_ops is not a list of unique values`);
  const allowed = { sign: operations.includes('sign'), verify: operations.includes('verify') };
  if (!allowed.sign && !allowed.verify)
    throw new KeyError(`kid '${kid}': key_ops allows neither 'sign' nor 'verify'`);
  return allowed;
}

const MIN_MODULUS_BITS = 2048;
const MAX_MODULUS_BITS = 16_384;
const MAX_EXPONENT_BYTES = 8;

/**
 * Checks an RSA key by RFC 7518 section 3.3 (at least 2048 bits) and FIPS 186-5 section A.1.1 (an odd exponent above
 * 2^16). The upper bounds keep a hostile key from making each verification expensive.
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
      `kid '${kid}' is an RSA key of ${bits} bits; ${bits < MIN_MODULUS_BITS ? `at least ${MIN_MODULUS_BITS} are needed` : `at most ${MAX_MODULUS_BITS} are accepted`}`,
    );
  const e = BigInt(`0x${exponent.toString('hex') || '0'}`);
  if (exponent.length > MAX_EXPONENT_BYTES || e <= 65_536n || e % 2n === 0n)
    throw new KeyError(`kid '${kid}' has an unsafe RSA exponent; 65537 is the usual one`);
}

/**
 * Checks that the private members of an RSA key belong together (RFC 8017 section 3.2). A trial signature does not
 * find a wrong `d`, since OpenSSL signs with the primes.
 *
 * @throws KeyError
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

/**
 * Signs and verifies once, so that a JWK whose private part does not belong to its public part is refused when it is
 * loaded. Otherwise clients would find the error.
 *
 * @throws KeyError
 */
export function assertPairFits(kid: string, privateKey: KeyObject, publicKey: KeyObject): void {
  const { asymmetricKeyType: type = '' } = privateKey;
  const hash = type === 'ed25519' || type.startsWith('ml-dsa') ? null : 'sha256';
  const probe = randomBytes(32);
  let fits = false;
  try {
    fits = verify(hash, probe, publicKey, sign(hash, probe, privateKey));
  } catch {
    // An inconsistent key makes OpenSSL throw instead of returning a bad signature.
  }
  if (!fits) throw new KeyError(`kid '${kid}': the private part does not fit the public part`);
}

/** Identifiers of the certificate of a key (RFC 7517 sections 4.8 and 4.9). */
export interface CertificateIds {
  readonly x5t?: string;
  readonly x5tS256?: string;
}

/**
 * Returns the certificate thumbprints of a JWK: those that it states, or those computed from `x5c`.
 *
 * @param lenient true: an `x5c` that cannot be parsed is ignored, and stated thumbprints are used even if they differ
 * from `x5c`, since Auth0 writes the hexadecimal digits of the thumbprint into `x5t`
 * @throws KeyError if `x5c` is for another key, or contradicts a stated thumbprint
 */
export function certificateIds(
  jwk: Readonly<Record<string, unknown>>,
  publicJwk: JsonWebKey,
  kid: string,
  lenient = false,
): CertificateIds {
  const stated = { x5t: text(jwk.x5t), x5tS256: text(jwk['x5t#S256']) };
  const [first] = Array.isArray(jwk.x5c) ? (jwk.x5c as unknown[]) : [];
  if (typeof first !== 'string') return stated;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(first, 'base64'));
  } catch {
    if (lenient) return stated;
    throw new KeyError(`kid '${kid}': x5c is not a certificate`);
  }
  if (thumbprint(certificate.publicKey.export({ format: 'jwk' })) !== thumbprint(publicJwk))
    throw new KeyError(`kid '${kid}': the certificate in x5c is for another key`);
  const computed = {
    x5t: createHash('sha1').update(certificate.raw).digest('base64url'),
    x5tS256: createHash('sha256').update(certificate.raw).digest('base64url'),
  };
  if (lenient)
    return { x5t: stated.x5t ?? computed.x5t, x5tS256: stated.x5tS256 ?? computed.x5tS256 };
  if (
    (stated.x5t ?? computed.x5t) !== computed.x5t ||
    (stated.x5tS256 ?? computed.x5tS256) !== computed.x5tS256
  )
    throw new KeyError(`kid '${kid}': x5t does not fit the certificate in x5c`);
  return computed;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
