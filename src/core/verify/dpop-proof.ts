import { hash } from 'node:crypto';
import { TokenRefusedError, type TokenRefusalCode } from '../errors/index.js';
import { isJsonObject, toNumber } from '../json/index.js';
import {
  isJwsAlgorithm,
  keyMisfit,
  parseCompact,
  verifySignature,
  type CompactJws,
  type JwsAlgorithm,
} from '../jws/index.js';
import { importJwk, KeyError, type ImportedKey } from '../keys/index.js';
import { normalizeUrl } from './request-url.js';
import { parseClaims } from './token-checks.js';

/** Nonces that the server issues, so that a proof cannot be made ahead of time (RFC 9449 section 9). */
export interface NonceSource {
  /** Seconds after its creation for which a nonce is accepted, at most. */
  readonly lifetime: number;
  /** Returns the current nonce. */
  current(): Promise<string>;
  /** True for a nonce that was issued and has not expired. */
  accepts(nonce: string): Promise<boolean>;
}

/** The memory of used proofs. */
export interface ProofMemory {
  /**
   * Marks a proof as used, for all processes that share the state.
   *
   * @param id name of the proof
   * @param seconds time for which the proof could be accepted
   * @returns false if the proof was used before
   * @throws an error with a `code` while the state cannot be reached
   */
  useOnce(id: string, seconds: number): Promise<boolean>;
  /** Source of the nonce that every proof has to contain. Default: proofs need no nonce. */
  readonly nonces?: NonceSource;
}

/** The request that a proof has to be made for. */
export interface ExpectedProof {
  /** Accepted algorithms; asymmetric ones. */
  readonly algorithms: ReadonlySet<JwsAlgorithm>;
  /** Method of the request. */
  readonly method: string;
  /** URL of the request as `normalizeUrl` returns it; `undefined`: the request names no valid one. */
  readonly url: string | undefined;
  /** The access token that is sent with the proof. Default: none, e.g. at a token endpoint. */
  readonly token?: string;
  /** SHA-256 thumbprint of the key that has to have signed the proof. Default: any key. */
  readonly thumbprint?: string;
  /** Seconds since 1970. */
  readonly now: number;
  /** Seconds by which `iat` may differ from `now`, in both directions. */
  readonly window: number;
}

/** A proof that passed all checks. */
export interface VerifiedProof {
  /** SHA-256 thumbprint of the proof's key (RFC 7638). */
  readonly thumbprint: string;
  /** Id of the proof, unique per key. */
  readonly jti: string;
  /** Seconds for which the proof would still be accepted, by the clock of this machine. */
  readonly acceptedFor: number;
}

/** Seconds by which the clocks of two servers may differ. A proof is remembered for so long after it expires. */
const CLOCK_DIFFERENCE = 60;

/** Longest accepted proof, in characters. */
const MAX_PROOF_LENGTH = 8192;
/** Largest RSA key: any client can send one, and the time of a verification grows with the square of its size. */
const MAX_RSA_BITS = 4096;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;
/** The members of a public key (RFC 7518 section 6, RFC 8037). Certificates and names are ignored. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'pub', 'alg'] as const;

/**
 * Checks a DPoP proof as {@link verifyDpopProof} does and marks it as used: with the same key and issuer a `jti` is
 * accepted once (RFC 9449 section 11.1).
 *
 * @param expected `issuer`: the issuer of the token that is sent with the proof, or that is requested
 * @throws TokenRefusedError `dpop_*`
 * @throws what `memory` throws while it cannot answer
 */
export async function useDpopProof(
  proofs: readonly string[],
  expected: ExpectedProof & { readonly issuer: unknown },
  memory: ProofMemory,
): Promise<VerifiedProof> {
  const proof = await verifyDpopProof(proofs, expected, memory.nonces);
  // A digest, since the `jti` may be long.
  const name = JSON.stringify([expected.issuer, proof.thumbprint, proof.jti]);
  const id = hash('sha256', name, 'base64url');
  if (!(await memory.useOnce(id, proof.acceptedFor + CLOCK_DIFFERENCE)))
    throw new TokenRefusedError(
      'dpop_proof_reused',
      'DPoP proof: it was used before; each request needs one of its own (jti)',
      { claim: 'jti' },
    );
  return proof;
}

/**
 * Checks a DPoP proof by all rules of RFC 9449 section 4.3, the cheap ones first: the signature is verified only if
 * everything else is right. Whether the proof was used before is not checked.
 *
 * @param proofs values of all `DPoP` header fields of the request
 * @param nonces source of the nonce that the proof has to contain; the nonce then dates the proof in place of `iat`
 * @throws TokenRefusedError `dpop_*`
 */
export async function verifyDpopProof(
  proofs: readonly string[],
  expected: ExpectedProof,
  nonces?: NonceSource,
): Promise<VerifiedProof> {
  const { jws, header, claims } = parseProof(singleProof(proofs));
  if (header.typ !== 'dpop+jwt')
    throw invalid(`typ is ${show(header.typ)}, expected "dpop+jwt"`, 'typ');
  const alg = allowedAlgorithm(header.alg, expected.algorithms);
  const { key, thumbprint } = publicKey(header.jwk, alg);
  if (expected.thumbprint !== undefined && thumbprint !== expected.thumbprint)
    throw keyMismatch(thumbprint, expected.thumbprint);
  const jti = assertRequest(claims, expected);
  const acceptedFor = await assertFresh(claims, expected, nonces);
  if (!(await verifySignature(alg, key, jws.signingInput, jws.signature)))
    throw invalid('the signature does not fit the jwk in the header', 'signature');
  return { thumbprint, jti, acceptedFor };
}

/** Returns the refusal of a proof by another key than that of the token. */
export const keyMismatch = (actual: string, expected: string): TokenRefusedError =>
  new TokenRefusedError(
    'dpop_key_mismatch',
    `the proof is by the key ${actual}, the token is bound to ${expected}`,
    { claim: 'jkt', expected, actual },
  );

const refuse =
  (code: TokenRefusalCode) =>
  (explanation: string, claim?: string): TokenRefusedError =>
    new TokenRefusedError(code, `DPoP proof: ${explanation}`, { claim });
const invalid = refuse('dpop_proof_invalid');
const mismatch = refuse('dpop_proof_mismatch');

function singleProof(proofs: readonly string[]): string {
  const [proof = '', ...others] = proofs;
  if (proof === '')
    throw new TokenRefusedError(
      'dpop_proof_missing',
      'there is no DPoP header; a token that is bound to a key needs a proof in it (RFC 9449 section 4)',
    );
  if (others.length > 0) throw invalid('there is more than one DPoP header');
  return proof;
}

interface ParsedProof {
  readonly jws: CompactJws;
  /** The whole header. `parseCompact` returns no `jwk`, since no other token may contain its own key. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

function parseProof(proof: string): ParsedProof {
  if (proof.length > MAX_PROOF_LENGTH)
    throw invalid(`it is longer than ${MAX_PROOF_LENGTH} characters`);
  try {
    const jws = parseCompact(proof);
    return {
      jws,
      header: parseClaims(Buffer.from(proof.slice(0, proof.indexOf('.')), 'base64url')),
      claims: parseClaims(jws.payload),
    };
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    throw invalid(`it is no well-formed JWT: ${error.explanation}`);
  }
}

function allowedAlgorithm(alg: unknown, algorithms: ReadonlySet<JwsAlgorithm>): JwsAlgorithm {
  if (!isJwsAlgorithm(alg) || !algorithms.has(alg))
    throw invalid(`alg is ${show(alg)}, expected one of: ${[...algorithms].join(', ')}`, 'alg');
  return alg;
}

function publicKey(jwk: unknown, alg: JwsAlgorithm): ImportedKey {
  if (!isJsonObject(jwk)) throw invalid('the header has no jwk, which is a public key', 'jwk');
  const secret = PRIVATE_MEMBERS.find((name) => Object.hasOwn(jwk, name));
  if (secret !== undefined)
    throw invalid(
      `the jwk holds '${secret}': that is a private key, which has to be replaced now; a proof shows the public one`,
      'jwk',
    );
  const members = PUBLIC_MEMBERS.filter((name) => Object.hasOwn(jwk, name));
  const imported = importPublic(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  const misfit = keyMisfit(imported.key, alg);
  if (misfit !== undefined) throw invalid(printable(misfit), 'jwk');
  if ((imported.key.verifying?.asymmetricKeyDetails?.modulusLength ?? 0) > MAX_RSA_BITS)
    throw invalid(`the jwk is an RSA key of more than ${MAX_RSA_BITS} bits`, 'jwk');
  return imported;
}

function importPublic(jwk: Record<string, unknown>): ImportedKey {
  let reason: string;
  try {
    // Lenient: a key without a kid is named by its thumbprint.
    const imported = importJwk(jwk, { lenient: true });
    if (typeof imported !== 'string') return imported;
    reason = imported;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    reason = error.message;
  }
  throw invalid(`the jwk cannot be used: ${printable(reason)}`, 'jwk');
}

/** Checks `jti`, method, URL and token. @returns the `jti` */
function assertRequest(claims: ParsedProof['claims'], expected: ExpectedProof): string {
  const { jti, htm, htu, ath } = claims;
  if (typeof jti !== 'string' || jti === '')
    throw invalid(`jti is ${show(jti)}, expected a string that is unique per proof`, 'jti');
  if (htm !== expected.method)
    throw mismatch(`htm is ${show(htm)}, the method of the request is ${expected.method}`, 'htm');
  const url = typeof htu === 'string' ? normalizeUrl(htu) : undefined;
  if (url === undefined || url !== expected.url)
    throw mismatch(
      `htu is ${show(htu)}, the URL of the request is ${expected.url ?? 'not valid'}`,
      'htu',
    );
  if (expected.token !== undefined && ath !== hash('sha256', expected.token, 'base64url'))
    throw mismatch(
      `ath is ${show(ath)}, expected the SHA-256 of the access token in base64url`,
      'ath',
    );
  return jti;
}

/** Checks the age of a proof: by its nonce if there are nonces, else by `iat`. @returns `acceptedFor` */
async function assertFresh(
  claims: ParsedProof['claims'],
  { now, window }: ExpectedProof,
  nonces: NonceSource | undefined,
): Promise<number> {
  const iat = toNumber(claims.iat);
  if (iat === undefined || !Number.isFinite(iat))
    throw invalid(`iat is ${show(claims.iat)}, expected seconds since 1970`, 'iat');
  if (nonces !== undefined) {
    const { nonce } = claims;
    if (typeof nonce !== 'string' || !(await nonces.accepts(nonce)))
      throw new TokenRefusedError(
        'dpop_nonce_needed',
        `DPoP proof: ${nonce === undefined ? 'it has no nonce' : 'its nonce is not one of now'}; make another one with the nonce of the DPoP-Nonce header`,
        { claim: 'nonce' },
      );
    return nonces.lifetime;
  }
  if (Math.abs(now - iat) > window)
    throw new TokenRefusedError(
      'dpop_proof_expired',
      `DPoP proof: iat is ${iat}, now is ${now}; they may differ by ${window} s. A proof is made for one request; otherwise compare the clocks`,
      { claim: 'iat', expected: now, actual: iat },
    );
  return iat + window - now;
}

/** Formats a member of the proof for a message: in printable ASCII and cut, since any client may have written it. */
const show = (value: unknown): string =>
  value === undefined ? '(none)' : printable((JSON.stringify(value) ?? '').slice(0, 200));

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
