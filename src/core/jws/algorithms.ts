import * as crypto from 'node:crypto';
import { constants, type SigningOptions } from 'node:crypto';

/** The supported JWS `alg` values (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864, RFC 9881). */
export type JwsAlgorithm =
  | 'HS256' | 'HS384' | 'HS512'
  | 'RS256' | 'RS384' | 'RS512'
  | 'PS256' | 'PS384' | 'PS512'
  | 'ES256' | 'ES384' | 'ES512'
  | 'EdDSA' | 'Ed25519'
  | 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87'; // prettier-ignore

/** `kty` of the keys of these algorithms (RFC 7518 section 6.1, RFC 8037 section 2, AKP of ML-DSA). */
export type KeyType = 'oct' | 'RSA' | 'EC' | 'OKP' | 'AKP';

/** What an algorithm requires of a key, and the parameters for node:crypto. */
export interface AlgorithmSpec {
  readonly kty: KeyType;
  /** The only curve of the algorithm (EC, OKP). */
  readonly crv?: string;
  /** Digest name for node:crypto; `null` for EdDSA and ML-DSA, which hash by themselves. */
  readonly hash: string | null;
  /** Shortest secret in bytes: the size of the hash (RFC 7518 section 3.2). */
  readonly minSecretBytes?: number;
  /** Exact signature length in bytes where the algorithm fixes it. */
  readonly signatureBytes?: number;
  /** Padding and encoding for `crypto.sign` and `crypto.verify`. */
  readonly options?: SigningOptions;
  /** True if signing takes no longer than a round trip to another thread, about 20 µs. Unset for HMAC. */
  readonly signsQuickly?: boolean;
}

const hmac = (bits: number): AlgorithmSpec => ({
  kty: 'oct',
  hash: `sha${bits}`,
  minSecretBytes: bits / 8,
  signatureBytes: bits / 8,
});
const rsa = (bits: number): AlgorithmSpec => ({
  kty: 'RSA',
  hash: `sha${bits}`,
  options: { padding: constants.RSA_PKCS1_PADDING },
});
const pss = (bits: number): AlgorithmSpec => ({
  kty: 'RSA',
  hash: `sha${bits}`,
  // The salt is exactly as long as the hash (RFC 7518 section 3.5).
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: bits / 8 },
});
const ecdsa = (bits: number, crv: string, coordinateBytes: number): AlgorithmSpec => ({
  kty: 'EC',
  crv,
  hash: `sha${bits}`,
  signatureBytes: 2 * coordinateBytes,
  // R and S are concatenated, not encoded in DER (RFC 7518 section 3.4).
  options: { dsaEncoding: 'ieee-p1363' },
});

const ed25519: AlgorithmSpec = {
  kty: 'OKP',
  crv: 'Ed25519',
  hash: null,
  signatureBytes: 64,
  options: {},
  signsQuickly: true,
};
/** The three ML-DSA algorithms have the same `kty`. A key names its algorithm in `alg`. */
const mlDsa = (signatureBytes: number): AlgorithmSpec => ({
  kty: 'AKP',
  hash: null,
  signatureBytes,
  options: {},
});

const SPECS: Readonly<Record<JwsAlgorithm, AlgorithmSpec>> = {
  HS256: hmac(256),
  HS384: hmac(384),
  HS512: hmac(512),
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: pss(256),
  PS384: pss(384),
  PS512: pss(512),
  // OpenSSL has optimized code for P-256 only; P-384 and P-521 take ten times as long.
  ES256: { ...ecdsa(256, 'P-256', 32), signsQuickly: true },
  ES384: ecdsa(384, 'P-384', 48),
  ES512: ecdsa(512, 'P-521', 66),
  EdDSA: ed25519,
  // The name of the same algorithm in RFC 9864.
  Ed25519: ed25519,
  'ML-DSA-44': mlDsa(2420),
  'ML-DSA-65': mlDsa(3309),
  'ML-DSA-87': mlDsa(4627),
};

/** Node.js has had ML-DSA since the same version as `crypto.encapsulate` (24.7, with OpenSSL 3.5). */
const hasMlDsa = 'encapsulate' in crypto;

/** All algorithms that this version of Node.js supports, in the order of RFC 7518. */
export const JWS_ALGORITHMS = (Object.keys(SPECS) as JwsAlgorithm[]).filter(
  (name) => SPECS[name].kty !== 'AKP' || hasMlDsa,
) as readonly JwsAlgorithm[];
const supported: ReadonlySet<unknown> = new Set(JWS_ALGORITHMS);

/** True for one of the supported names, spelled exactly (`none` and `hs256` are not among them). */
export const isJwsAlgorithm = (name: unknown): name is JwsAlgorithm => supported.has(name);

/** True for two names of one algorithm: `EdDSA` and `Ed25519` (RFC 9864 section 2.2). */
export const isSameAlgorithm = (one: JwsAlgorithm, other: JwsAlgorithm): boolean =>
  one === other || (SPECS[one] === ed25519 && SPECS[other] === ed25519);

/** True for algorithms whose verifying key may be published. */
export const isAsymmetric = (alg: JwsAlgorithm): boolean => SPECS[alg].kty !== 'oct';

/** The requirements and parameters of an algorithm. */
export const algorithmSpec = (alg: JwsAlgorithm): AlgorithmSpec => SPECS[alg];
