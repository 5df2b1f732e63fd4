import { toNumber } from '../json/index.js';
import { parseCompact, type CompactJws, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import type { KeyNames, KeySource } from '../keys/index.js';
import { nowSeconds } from '../time/index.js';
import { checkAccess, checkClaims } from './claim-checks.js';
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
import type { TokenPolicy } from './token-policy.js';
import type { VerifiedClaims } from './verified-claims.js';

/** Where the keys that verify tokens come from. */
export interface VerificationKeys {
  /** The key that a header names, if it is known. Never waits. */
  verificationKey(names: KeyNames, source?: KeySource): JwsKey | undefined;
  /** Looks for a key that is not known where keys come from, for a bounded time. */
  awaitVerificationKey(names: KeyNames, source?: KeySource): Promise<JwsKey | undefined>;
}

/** What {@link verifyToken} works with. */
export interface Verification {
  readonly keys: VerificationKeys;
  /** Left out: nothing can be revoked. */
  readonly revocations?: RevocationView;
  /** Left out: every signature is computed. */
  readonly signatures?: SignatureCache;
}

/**
 * Verifies a token (RFC 7519 section 7.2, RFC 8725): format, algorithm, key, signature, type, claims,
 * revocation, roles and scopes, in this order.
 *
 * @param token compact JWS
 * @returns the claims of a token that fulfils `policy`
 * @throws TokenRefusedError with the code of the first check that fails
 * @throws what `keys` and `revocations` throw while they cannot answer
 */
export async function verifyToken(
  token: string,
  policy: TokenPolicy,
  { keys, revocations, signatures }: Verification,
): Promise<VerifiedClaims> {
  const jws = parseCompact(token);
  const { header, signingInput } = jws;
  const alg = allowedAlgorithm(header, policy);
  const key =
    keys.verificationKey(header, policy.keySource) ??
    (await keys.awaitVerificationKey(header, policy.keySource));
  assertFits(key, header, alg);
  // An HMAC (3 µs) costs less than the cache look-up.
  const verdict =
    key.kty === 'oct' || signatures === undefined
      ? assertSigned(jws, alg, key)
      : assertSignedOnce(token, jws, alg, key, signatures);
  if (verdict !== undefined) await verdict;

  const type = allowedType(header, policy);
  const claims = parseClaims(jws.payload);
  assertProfile(type, claims);
  checkClaims(claims, policy, nowSeconds());
  if (revocations !== undefined) {
    revocations.noteExpiry(toNumber(claims.exp) ?? 0);
    assertNotRevoked(revocations, { kid: key.kid, claims, signingInput });
  }
  if (policy.checkClaimsClass !== undefined) await policy.checkClaimsClass(claims);
  // Last, so that a token that is not valid is a 401 and never a 403.
  checkAccess(claims, policy);
  return claims as VerifiedClaims;
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
