import { randomUUID } from 'node:crypto';
import { claimTypeProblem } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import { LATEST_EXPIRY } from '../revocation/index.js';
import type { ClaimSet } from './sign-fields.js';
import { SigningError } from './signing.error.js';

/** What a claim set with a past `exp` leads to: 502, a new `exp`, or a token that has already expired. */
export type StaleExpPolicy = 'reject' | 'renew' | 'keep';

/** What {@link stampClaims} adds. */
export interface Stamp {
  /** Lifetime in seconds if `exp` is absent, or is renewed. */
  ttl: number;
  issuer?: string;
  audience?: string;
  /** True: the issuer replaces the `aud` of the claims. */
  audienceIsIssuer?: boolean;
  /** Stamped as `token_use` if absent. */
  tokenUse?: string;
  staleExp: StaleExpPolicy;
}

const TIMES = ['exp', 'nbf', 'iat'] as const;
/** Values that are times in a unit other than seconds: unit, smallest value, largest value. */
const OTHER_UNITS = [
  // 1e11 is the year 5138 in seconds, and 1973 in milliseconds.
  ['milliseconds', 1e11, LATEST_EXPIRY * 1e3],
  // From 2001 to 2255. A larger value means "never", e.g. the largest safe integer, 9.007e15.
  ['microseconds', 1e15, 9e15],
  ['nanoseconds', 1e18, 9e18],
] as const;

/**
 * Completes a claim set (RFC 7519 section 4.1): adds `iat`, `exp`, `jti`, `iss` and `aud` if absent.
 * Claims that are present are not changed, except a past `exp` (see `staleExp`) and the `aud` of refresh tokens
 * (see `audienceIsIssuer`).
 *
 * @param field name of the claim set in messages
 * @param now seconds since 1970
 * @param newId makes a `jti`
 * @throws SigningError `claims_expired` for a past `exp`; `sign_target_invalid` for an `exp`,
 * `nbf` or `iat` that is not a finite number; `claims_invalid` for `sub`, `jti`, `sid`, `iss` or `aud` of a
 * type that no validator accepts (RFC 7519 section 4.1), and for a time in milliseconds, micro- or nanoseconds
 */
export function stampClaims(
  claims: ClaimSet,
  field: string,
  stamp: Stamp,
  now: number,
  newId: () => string = randomUUID,
): ClaimSet {
  for (const name of TIMES) {
    if (!Object.hasOwn(claims, name)) continue;
    if (!Number.isFinite(toNumber(claims[name])))
      throw new SigningError('sign_target_invalid', `${field}.${name} is not a finite number`);
    assertSeconds(claims, name, field);
  }
  assertSeconds(claims, 'auth_time', field);
  assertTypes(claims, field);
  const stamped: Record<string, unknown> = { ...claims };
  const exp = toNumber(claims.exp);
  if (exp === undefined || (exp <= now && stamp.staleExp === 'renew'))
    stamped.exp = now + stamp.ttl;
  else if (exp <= now && stamp.staleExp === 'reject')
    throw new SigningError(
      'claims_expired',
      `${field}.exp is past; give a later one, or none, or set the option staleExp of SigningModule to renew`,
    );
  if (!Object.hasOwn(claims, 'iat')) stamped.iat = now;
  if (!Object.hasOwn(claims, 'jti')) stamped.jti = newId();
  if (!Object.hasOwn(claims, 'iss') && stamp.issuer !== undefined) stamped.iss = stamp.issuer;
  if (!Object.hasOwn(claims, 'aud') && stamp.audience !== undefined) stamped.aud = stamp.audience;
  if (stamp.tokenUse !== undefined && !Object.hasOwn(claims, 'token_use'))
    stamped.token_use = stamp.tokenUse;
  if (stamp.audienceIsIssuer === true) {
    const issuer = stamp.issuer ?? stamped.iss;
    if (issuer !== undefined) stamped.aud = issuer;
  }
  return stamped;
}

/** Refuses other units: an `exp` in milliseconds would be 57,000 years ahead, and an `auth_time` never too old. */
function assertSeconds(claims: ClaimSet, name: string, field: string): void {
  const time = toNumber(claims[name]) ?? 0;
  for (const [unit, from, to] of OTHER_UNITS)
    if (time >= from && time <= to)
      throw new SigningError(
        'claims_invalid',
        `${field}.${name} is a time in ${unit}; send seconds (RFC 7519 section 2)`,
      );
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
