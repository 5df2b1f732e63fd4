import { isUtf8 } from 'node:buffer';
import { isJsonObject, parseJsonExactly } from '../json/index.js';
import { TokenRefusedError } from '../errors/index.js';
import { ACCESS_TOKEN_TYPE, missingProfileClaims, normalizeType } from '../claims/index.js';
import {
  isJwsAlgorithm,
  keyMisfit,
  verifySignature,
  type CompactJws,
  type JwsAlgorithm,
  type JwsHeader,
  type JwsKey,
} from '../jws/index.js';
import type { TokenNames } from '../revocation/index.js';
import type { TokenPolicy } from './token-policy.js';

/** The revocations that are known, as the checks see them. */
export interface RevocationView {
  /**
   * Whether a token is revoked.
   *
   * @throws an error with a `code` when that cannot be known
   */
  isRevoked(token: TokenNames): boolean;
  /** Tells that there is a token which expires at `exp` (seconds since 1970). */
  noteExpiry(exp: number): void;
}

/*
 * The checks of a token before those of its claims, one function each: `verifyToken` stops at the
 * first that fails, `signet explain` goes on. Both use these functions.
 */

/** @throws TokenRefusedError `algorithm_not_allowed` */
export function allowedAlgorithm({ alg }: JwsHeader, { algorithms }: TokenPolicy): JwsAlgorithm {
  if (!isJwsAlgorithm(alg) || !algorithms.has(alg))
    throw new TokenRefusedError(
      'algorithm_not_allowed',
      `the algorithm of the header is not one of: ${[...algorithms].join(', ')}`,
    );
  return alg;
}

/** @throws TokenRefusedError `key_not_found`; `algorithm_not_allowed` for a key that is for something else */
export function assertFits(
  key: JwsKey | undefined,
  header: JwsHeader,
  alg: JwsAlgorithm,
): asserts key is JwsKey {
  if (key === undefined)
    throw new TokenRefusedError(
      'key_not_found',
      header.kid === undefined ? 'the header has no kid' : 'no key with the kid of the header',
    );
  const misfit = keyMisfit(key, alg);
  if (misfit !== undefined) throw new TokenRefusedError('algorithm_not_allowed', misfit);
}

/**
 * A promise only where the signature is checked in another thread.
 *
 * @throws TokenRefusedError `signature_invalid`
 */
export function assertSigned(
  { signingInput, signature }: CompactJws,
  alg: JwsAlgorithm,
  key: JwsKey,
): void | Promise<void> {
  const verdict = verifySignature(alg, key, signingInput, signature);
  return typeof verdict === 'boolean'
    ? assertValid(verdict, key)
    : verdict.then((valid) => assertValid(valid, key));
}

function assertValid(valid: boolean, { kid }: JwsKey): void {
  if (!valid)
    throw new TokenRefusedError('signature_invalid', `the signature does not fit kid '${kid}'`);
}

/** The normalized type. @throws TokenRefusedError `type_not_allowed` */
export function allowedType({ typ = 'JWT' }: JwsHeader, { types }: TokenPolicy): string {
  const type = normalizeType(typ);
  if (!types.has(type))
    throw new TokenRefusedError(
      'type_not_allowed',
      `typ '${typ}' is not one of: ${[...types].join(', ')}`,
    );
  return type;
}

/** @throws TokenRefusedError `token_malformed` */
export function parseClaims(payload: Buffer): Record<string, unknown> {
  let claims: unknown;
  try {
    claims = isUtf8(payload) ? parseJsonExactly(payload.toString()) : undefined;
  } catch {
    claims = undefined;
  }
  if (!isJsonObject(claims))
    throw new TokenRefusedError('token_malformed', 'the payload is not a JSON object in UTF-8');
  return claims;
}

/**
 * RFC 9068 section 4: a token that claims the profile has to keep it, where the policy asks for it.
 *
 * @throws TokenRefusedError `claim_missing`
 */
export function assertProfile(
  type: string,
  claims: Readonly<Record<string, unknown>>,
  { profiled }: TokenPolicy,
): void {
  const missing = profiled && type === ACCESS_TOKEN_TYPE ? missingProfileClaims(claims) : [];
  if (missing.length > 0)
    throw new TokenRefusedError(
      'claim_missing',
      `a token of typ ${ACCESS_TOKEN_TYPE} needs: ${missing.join(', ')}`,
    );
}

/**
 * @throws TokenRefusedError `token_revoked`
 * @throws what {@link RevocationView.isRevoked} throws
 */
export function assertNotRevoked(revocations: RevocationView, token: TokenNames): void {
  if (revocations.isRevoked(token))
    throw new TokenRefusedError('token_revoked', 'the token, its session, user or key is revoked');
}
