import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { isJsonObject } from '../json/index.js';
import { decodeBase64url, isJwsAlgorithm, keyMisfit, type JwsKey } from '../jws/index.js';
import { readLifecycle, type KeyLifecycle } from './key-lifecycle.js';
import { thumbprint } from './thumbprint.js';
import {
  assertKeyOperations,
  assertPairFits,
  assertRsaConsistency,
  assertRsaStrength,
  certificateIds,
  type CertificateIds,
} from './key-checks.js';
import { KeyError, quote } from './key.error.js';

/** A key of a set: the form that `jws/` uses, and the JWK that may be published (asymmetric keys only). */
export interface ImportedKey {
  readonly key: JwsKey;
  /** `key` as a list, made once since a set returns it for every token. */
  readonly alone: readonly [JwsKey];
  /** RFC 7638. */
  readonly thumbprint: string;
  readonly lifecycle?: KeyLifecycle;
  readonly certificate?: CertificateIds;
  readonly publicJwk?: JsonWebKey & { kid: string };
}

/** How strict the checks are: keys of other parties are used if possible, own keys only if they have no fault. */
export interface ImportOptions {
  /**
   * True for the key of another party: a key without a kid is named by its thumbprint, a coordinate without its
   * leading zero octets is padded, and an `x5c` that cannot be parsed is ignored. Default false.
   */
  readonly lenient?: boolean;
}

/** Length of a coordinate in bytes, by `kty` and `crv`. */
const CURVES: Readonly<Record<'EC' | 'OKP', Readonly<Record<string, number>>>> = {
  EC: { 'P-256': 32, 'P-384': 48, 'P-521': 66 },
  OKP: { Ed25519: 32 },
};
/** The `alg` values of JWE (RFC 7518 sections 4.1 and 5.1). */
const ENCRYPTION_ALG =
  /^(?:A\d{3}(?:KW|GCMKW|GCM|CBC-HS\d{3})|dir|RSA1_5|RSA-OAEP(?:-\d+)?|ECDH-ES(?:\+A\d{3}KW)?|PBES2-HS\d{3}\+A\d{3}KW)$/;
const PUBLIC_MEMBERS = { RSA: ['n', 'e'], EC: ['x', 'y'], OKP: ['x'], AKP: ['pub'] } as const;
const RSA_PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const;
const SHORTEST_SECRET_BYTES = 32;

/**
 * Checks one JWK (RFC 7517, RFC 7518 section 6) and imports it.
 *
 * @returns the key, or the reason why it is skipped: RFC 7517 section 5 asks to ignore keys of unknown kinds
 * @throws KeyError for a key that must not be used, with the kid in its message, never the key
 */
export function importJwk(
  jwk: unknown,
  { lenient = false }: ImportOptions = {},
): ImportedKey | string {
  if (!isJsonObject(jwk)) throw new KeyError('a key is not a JSON object');
  const { kty, crv, use } = jwk;
  const kid = nameOf(jwk, lenient);
  if (typeof kty !== 'string') throw new KeyError(`kid '${kid}' has no 'kty'`);
  // Sets often hold encryption keys beside signing keys.
  if (use === 'enc') return `kid '${kid}' is skipped: it is for encryption`;
  if (typeof jwk.alg === 'string' && ENCRYPTION_ALG.test(jwk.alg))
    return `kid '${kid}' is skipped: alg ${quote(jwk.alg)} is for encryption`;
  if (kty === 'oct') return importSecret(jwk, kid);
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP' && kty !== 'AKP')
    return `kid '${kid}' is skipped: kty ${quote(kty)} is not one of oct, RSA, EC, OKP, AKP`;
  if (
    (kty === 'EC' || kty === 'OKP') &&
    (typeof crv !== 'string' || !Object.hasOwn(CURVES[kty], crv))
  )
    return `kid '${kid}' is skipped: curve ${quote(crv)} does not sign any supported algorithm`;
  if (kty === 'AKP' && !isJwsAlgorithm(jwk.alg))
    return `kid '${kid}' is skipped: alg ${quote(jwk.alg)} of kty AKP is not supported here`;
  return importAsymmetric(lenient ? padded(jwk) : jwk, kid, kty, lenient);
}

/** Returns the kid. With `lenient`, a key without one is named by its thumbprint. */
function nameOf(jwk: Record<string, unknown>, lenient: boolean): string {
  const { kid } = jwk;
  if (typeof kid === 'string' && kid !== '') return kid;
  if (!lenient || (kid !== undefined && kid !== ''))
    throw new KeyError("a key has no 'kid'; every key needs one, as a non-empty string");
  return thumbprint(jwk);
}

/** Corrects coordinates that some issuers write as numbers: without leading zero octets, or with one too many. */
function padded(jwk: Record<string, unknown>): Record<string, unknown> {
  const { kty, crv, x, y } = jwk;
  const size = kty === 'EC' && typeof crv === 'string' ? CURVES.EC[crv] : undefined;
  if (size === undefined) return jwk;
  return { ...jwk, x: ofLength(size, x), y: ofLength(size, y) };
}

function ofLength(size: number, coordinate: unknown): unknown {
  const bytes = typeof coordinate === 'string' ? decodeBase64url(coordinate) : undefined;
  if (bytes === undefined || bytes.length === 0 || bytes.length === size) return coordinate;
  if (bytes.length === size + 1 && bytes[0] === 0) return bytes.subarray(1).toString('base64url');
  if (bytes.length > size) return coordinate;
  return Buffer.concat([Buffer.alloc(size - bytes.length), bytes]).toString('base64url');
}

function importSecret(jwk: Record<string, unknown>, kid: string): ImportedKey {
  const secret = member(jwk, kid, 'k');
  if (secret.length < SHORTEST_SECRET_BYTES)
    throw new KeyError(
      `kid '${kid}' has a secret of ${secret.length} bytes; HMAC needs at least ${SHORTEST_SECRET_BYTES} random bytes`,
    );
  const secretKey = createSecretKey(secret);
  const key = toJwsKey(jwk, kid, secretKey, secretKey);
  return {
    key,
    alone: [key],
    thumbprint: thumbprint(jwk),
    lifecycle: readLifecycle(jwk, kid),
  };
}

function importAsymmetric(
  jwk: Record<string, unknown>,
  kid: string,
  kty: 'RSA' | 'EC' | 'OKP' | 'AKP',
  lenient: boolean,
): ImportedKey {
  const publicMembers = PUBLIC_MEMBERS[kty];
  const size = kty === 'EC' || kty === 'OKP' ? CURVES[kty][jwk.crv as string] : undefined;
  for (const name of publicMembers) member(jwk, kid, name, size);
  if (kty === 'RSA') assertRsaStrength(jwk, kid);

  const isPrivate = jwk[kty === 'AKP' ? 'priv' : 'd'] !== undefined;
  if (isPrivate) {
    const names = kty === 'RSA' ? RSA_PRIVATE_MEMBERS : kty === 'AKP' ? ['priv'] : ['d'];
    for (const name of names) member(jwk, kid, name, size);
    if (jwk.oth !== undefined)
      throw new KeyError(`kid '${kid}' is a multi-prime RSA key, which is not supported`);
  }
  const publicJwk = Object.fromEntries(
    [
      ['kid', kid],
      ...['kty', 'alg', 'crv', ...publicMembers].map((name) => [name, jwk[name]]),
    ].filter(([, value]) => value !== undefined),
  ) as JsonWebKey & { kid: string };
  const publicKey = parse(kid, () => createPublicKey({ key: publicJwk, format: 'jwk' }));
  const privateKey = isPrivate
    ? parse(kid, () => createPrivateKey({ key: jwk, format: 'jwk' }))
    : undefined;
  const key = toJwsKey(jwk, kid, privateKey, publicKey);
  if (privateKey !== undefined && kty === 'RSA') assertRsaConsistency(jwk, kid);
  if (privateKey !== undefined) assertPairFits(kid, privateKey, publicKey);
  return {
    key,
    alone: [key],
    thumbprint: thumbprint(publicJwk),
    lifecycle: readLifecycle(jwk, kid),
    certificate: certificateIds(jwk, publicJwk, kid, lenient),
    publicJwk: { ...publicJwk, use: 'sig' },
  };
}

function toJwsKey(
  jwk: Record<string, unknown>,
  kid: string,
  signing: KeyObject | undefined,
  verifying: KeyObject,
): JwsKey {
  const { alg, kty, crv } = jwk;
  if (alg !== undefined && !isJwsAlgorithm(alg))
    throw new KeyError(`kid '${kid}' is for alg ${quote(alg)}, which is not a JWS algorithm`);
  const allowed = assertKeyOperations(jwk, kid);
  const key: JwsKey = {
    kid,
    kty: kty as JwsKey['kty'],
    crv: crv as string | undefined,
    alg,
    signing: allowed.sign ? signing : undefined,
    // A private JWK with key_ops ["sign"] implies a public half with ["verify"].
    verifying: allowed.verify || (kty !== 'oct' && signing !== undefined) ? verifying : undefined,
  };
  const misfit =
    alg === undefined ? undefined : keyMisfit({ ...key, signing: signing ?? verifying }, alg);
  if (misfit !== undefined) throw new KeyError(misfit);
  return key;
}

/** Returns the bytes of a required base64url member. @param size required number of bytes. Default: any */
function member(jwk: Record<string, unknown>, kid: string, name: string, size?: number): Buffer {
  const value = Object.hasOwn(jwk, name) ? jwk[name] : undefined;
  const bytes = typeof value === 'string' ? decodeBase64url(value) : undefined;
  if (bytes === undefined)
    throw new KeyError(`kid '${kid}': member '${name}' is missing or not base64url`);
  if (size !== undefined && bytes.length !== size)
    throw new KeyError(`kid '${kid}': member '${name}' is not ${size} bytes long`);
  return bytes;
}

function parse(kid: string, create: () => KeyObject): KeyObject {
  try {
    return create();
  } catch {
    // The cause may quote the key, so it is not passed on.
    throw new KeyError(`kid '${kid}' is not a valid key of its type`);
  }
}
