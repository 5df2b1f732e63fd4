import { toNumber } from '../json/index.js';
import { parseCompact, type CompactJws, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import type { KeyNames, KeySource } from '../keys/index.js';
import { nowSeconds } from '../time/index.js';
import type { ProofMemory } from './dpop-proof.js';
import { assertHolder, needsHolder, type TokenHolder } from './token-binding.js';
import {
  asksForLogin,
  checkAccess,
  checkClaims,
  checkLogin,
  issuerMismatch,
} from './claim-checks.js';
import type { SignatureCache } from './signature-cache.js';
import {
  allowedAlgorithm,
  allowedType,
  assertFits,
  assertNotRevoked,
  assertProfile,
  assertSigned,
  parseClaims,
  type RevocationView,
} from './token-checks.js';
import { foreignIssuerOf, type TokenPolicy } from './token-policy.js';
import type { VerifiedClaims } from './verified-claims.js';

/** Where the keys that verify tokens come from. */
export interface VerificationKeys {
  /** The keys that a header names, as far as they are known. Never waits. */
  verificationKeys(names: KeyNames, source?: KeySource): readonly JwsKey[];
  /** Looks for keys that are not known where keys come from, for a bounded time. */
  awaitVerificationKeys(names: KeyNames, source?: KeySource): Promise<readonly JwsKey[]>;
}

/** What {@link verifyToken} works with. */
export interface Verification {
  readonly keys: VerificationKeys;
  /** Left out: nothing can be revoked. */
  readonly revocations?: RevocationView;
  /** Left out: every signature is computed. */
  readonly signatures?: SignatureCache;
  /** Left out: tokens that are bound to a key are refused. */
  readonly proofs?: ProofMemory;
}

/**
 * Verifies a token (RFC 7519 section 7.2, RFC 8725): format, algorithm, key, signature, type, claims,
 * revocation, holder, login, roles and scopes, in this order.
 *
 * @param token compact JWS
 * @param holder who presents it. Left out: nobody, so that a token is refused that is bound to its holder
 * @returns the claims of a token that fulfils `policy`
 * @throws TokenRefusedError with the code of the first check that fails
 * @throws what `keys` and `revocations` throw while they cannot answer
 */
export async function verifyToken(
  token: string,
  policy: TokenPolicy,
  verification: Verification,
  holder?: TokenHolder,
): Promise<VerifiedClaims> {
  const jws = parseCompact(token, policy.maxTokenLength);
  if (policy.perIssuer === undefined && policy.unlistedIssuer === undefined)
    return verifyBy(token, jws, policy, verification, holder);
  const claims = parseClaims(jws.payload);
  const chosen = issuerPolicy(claims, policy);
  // Waiting for what is there costs a turn.
  const ofIssuer = chosen instanceof Promise ? await chosen : chosen;
  return verifyBy(token, jws, ofIssuer, verification, holder, claims);
}

/**
 * The policy for tokens of the issuer that a token names; its signature then has to be by a key of that
 * very issuer.
 *
 * @returns a promise only for an issuer that is not listed
 * @throws TokenRefusedError `issuer_mismatch` for an issuer that is not among them
 * @throws what `unlistedIssuer` throws while it cannot answer
 */
export function issuerPolicy(
  { iss }: Readonly<Record<string, unknown>>,
  policy: TokenPolicy,
): TokenPolicy | Promise<TokenPolicy> {
  const { perIssuer, unlistedIssuer, issuers } = policy;
  const listed =
    typeof iss !== 'string'
      ? undefined
      : perIssuer === undefined
        ? issuers.has(iss) && policy
        : perIssuer.get(iss);
  if (listed) return listed;
  if (typeof iss !== 'string' || unlistedIssuer === undefined)
    throw issuerMismatch(iss, [...issuers]);
  return unlistedIssuer(iss).then((found) => {
    if (found === undefined) throw issuerMismatch(iss, [...issuers]);
    return found;
  });
}

async function verifyBy(
  token: string,
  jws: CompactJws,
  policy: TokenPolicy,
  { keys, revocations, signatures, proofs }: Verification,
  holder: TokenHolder | undefined,
  parsed?: Record<string, unknown>,
): Promise<VerifiedClaims> {
  const { header, signingInput } = jws;
  const { keySource } = policy;
  const alg = allowedAlgorithm(header, policy);
  let candidates = keys.verificationKeys(header, keySource);
  if (candidates.length === 0) candidates = await keys.awaitVerificationKeys(header, keySource);
  const [key, ...others] = candidates;
  assertFits(key, header, alg);
  // An HMAC (3 µs) costs less than the cache look-up.
  const verdict =
    others.length > 0
      ? assertSignedByOne(jws, alg, candidates)
      : key.kty === 'oct' || signatures === undefined
        ? assertSigned(jws, alg, key)
        : assertSignedOnce(token, jws, alg, key, signatures);
  const signer = (verdict === undefined ? undefined : await verdict) ?? key;

  const type = allowedType(header, policy);
  const claims = parsed ?? parseClaims(jws.payload);
  assertProfile(type, claims, policy);
  const now = nowSeconds();
  checkClaims(claims, policy, now);
  if (revocations !== undefined) {
    revocations.noteExpiry(toNumber(claims.exp) ?? 0);
    const issuer = foreignIssuerOf(policy, claims.iss);
    assertNotRevoked(revocations, { issuer, kid: signer.kid, claims, signingInput });
  }
  if (needsHolder(claims, policy, holder))
    await assertHolder(token, claims, policy, holder, proofs);
  if (policy.checkClaimsClass !== undefined) await policy.checkClaimsClass(claims);
  if (asksForLogin(policy)) checkLogin(claims, policy, now);
  // Last, so that a token that is not valid is a 401 and never a 403.
  checkAccess(claims, policy);
  return claims as VerifiedClaims;
}

/** For a set of others that has a kid twice, for keys that both fit. @returns the one that signed */
async function assertSignedByOne(
  jws: CompactJws,
  alg: JwsAlgorithm,
  candidates: readonly JwsKey[],
): Promise<JwsKey> {
  let refusal: unknown;
  for (const key of candidates)
    try {
      await assertSigned(jws, alg, key);
      return key;
    } catch (error) {
      refusal = error;
    }
  throw refusal;
}

async function assertSignedOnce(
  token: string,
  jws: CompactJws,
  alg: JwsAlgorithm,
  key: JwsKey,
  signatures: SignatureCache,
): Promise<void> {
  const id = signatures.idOf(token);
  if (signatures.has(id, key)) return;
  await assertSigned(jws, alg, key);
  signatures.add(id, key);
}
