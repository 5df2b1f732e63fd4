import { randomUUID } from 'node:crypto';
import { claimTypeProblem } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import type { ClaimSet } from './sign-fields.js';
import { SigningError } from './signing.error.js';

/** What a claim set whose `exp` is past leads to: 502, a new `exp`, or a token that is born expired. */
export type StaleExpPolicy = 'reject' | 'renew' | 'keep';

/** What {@link stampClaims} adds. */
export interface Stamp {
  /** Lifetime in seconds where `exp` is absent. */
  ttl: number;
  issuer?: string;
  audience?: string;
  staleExp: StaleExpPolicy;
}

const TIMES = ['exp', 'nbf', 'iat'] as const;

/**
 * Completes a claim set (RFC 7519 section 4.1): `iat`, `exp`, `jti`, `iss` and `aud` where
 * absent.
 * Claims that are present are not changed, except a past `exp` (see `staleExp`).
 *
 * @param field names the claim set in messages
 * @param now seconds since 1970
 * @throws SigningError `claims_expired` for a past `exp`; `sign_target_invalid` for an `exp`,
 * `nbf` or `iat` that is not a finite number; `claims_invalid` for `sub`, `jti`, `sid`, `iss` or `aud` of a
 * type that no validator takes (RFC 7519 section 4.1)
 */
export function stampClaims(claims: ClaimSet, field: string, stamp: Stamp, now: number): ClaimSet {
  for (const name of TIMES) {
    if (!Object.hasOwn(claims, name)) continue;
    if (!Number.isFinite(toNumber(claims[name])))
      throw new SigningError('sign_target_invalid', `${field}.${name} is not a finite number`);
  }
  assertTypes(claims, field);
  const stamped: Record<string, unknown> = { ...claims };
  const exp = toNumber(claims.exp);
  if (exp === undefined || (exp <= now && stamp.staleExp === 'renew'))
    stamped.exp = now + stamp.ttl;
  else if (exp <= now && stamp.staleExp === 'reject')
    throw new SigningError(
      'claims_expired',
      `${field}.exp is past; let the backend send a later one, or none, or set the option staleExp of SigningModule to renew`,
    );
  if (!Object.hasOwn(claims, 'iat')) stamped.iat = now;
  if (!Object.hasOwn(claims, 'jti')) stamped.jti = randomUUID();
  if (!Object.hasOwn(claims, 'iss') && stamp.issuer !== undefined) stamped.iss = stamp.issuer;
  if (!Object.hasOwn(claims, 'aud') && stamp.audience !== undefined) stamped.aud = stamp.audience;
  return stamped;
}

function assertTypes(claims: ClaimSet, field: string): void {
  const problem =
    Object.hasOwn(claims, 'iss') && typeof claims.iss !== 'string'
      ? { claim: 'iss', expected: 'a string' }
      : claimTypeProblem(claims);
  if (problem !== undefined)
    throw new SigningError(
      'claims_invalid',
      `${field}.${problem.claim} is not ${problem.expected}`,
    );
}
