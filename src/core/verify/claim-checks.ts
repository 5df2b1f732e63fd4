import {
  claimTypeProblem,
  AUDIENCE_TYPE,
  namesIn,
  otherKind,
  readClaim,
  rolesOf,
  scopesOf,
} from '../claims/index.js';
import { toNumber } from '../json/index.js';
import { TokenRefusedError } from '../errors/index.js';
import type { Matcher, TokenPolicy } from './policy-options.js';

type ClaimSet = Readonly<Record<string, unknown>>;

/**
 * Why a check refuses a token; `undefined` if the check passes. Checks return refusals instead of throwing them: V8
 * never compiles a function that always throws (bench/README.md, 2026-11-28), and a flood consists of refused requests.
 */
export type Refusal = TokenRefusedError | undefined;

/**
 * Checks the claims of a token whose signature is valid (RFC 7519 section 4.1, RFC 8725 sections 3.8
 * to 3.10). Only own properties are read; a value of an unexpected type never matches.
 *
 * @param now seconds since 1970
 * @returns the refusal of the first check that fails
 */
export function refusalOfClaims(claims: ClaimSet, policy: TokenPolicy, now: number): Refusal {
  for (const [, check] of CLAIM_CHECKS) {
    const refusal = check(claims, policy, now);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** True if {@link refusalOfLogin} has something to check. */
export const asksForLogin = ({ acr, maxAge }: TokenPolicy): boolean =>
  acr.length > 0 || maxAge !== undefined;

/**
 * Checks how and when the user of a valid token logged in (RFC 9470). After a refusal, the user can log in again, in
 * another way if need be.
 *
 * @param now seconds since 1970
 * @returns a refusal `insufficient_user_authentication`
 */
export function refusalOfLogin(claims: ClaimSet, policy: TokenPolicy, now: number): Refusal {
  const { acr, maxAge, leeway } = policy;
  const level = own(claims, 'acr');
  if (acr.length > 0 && !(typeof level === 'string' && acr.includes(level)))
    return new TokenRefusedError(
      'insufficient_user_authentication',
      `needs a login with one of: ${acr.join(', ')}; acr of the token is ${show(level)}`,
      { claim: 'acr', expected: acr, actual: level },
    );
  if (maxAge === undefined) return undefined;
  const login = time(claims, 'auth_time');
  if (login instanceof TokenRefusedError) return login;
  if (login !== undefined && login <= now + leeway && now - login <= maxAge + leeway)
    return undefined;
  return new TokenRefusedError(
    'insufficient_user_authentication',
    login === undefined
      ? `needs a login within the last ${maxAge} s, and the token does not tell when it was (auth_time)`
      : `needs a login within the last ${maxAge} s; auth_time of the token is ${login}, now is ${now}`,
    { claim: 'auth_time', expected: maxAge, actual: login },
  );
}

/**
 * Checks `exp`, `nbf` and `iat` alone.
 *
 * @param now seconds since 1970
 * @param latest seconds since 1970 with which `nbf` and `iat` are compared. Default: `now`
 * @returns the refusal of the first check that fails
 */
export const refusalOfTimes = (
  claims: ClaimSet,
  policy: TokenPolicy,
  now: number,
  latest = now,
): Refusal =>
  checkExpiry(claims, policy, now) ??
  checkNotBefore(claims, policy, latest) ??
  checkIssuedAt(claims, policy, latest);

/**
 * Checks the roles and scopes of a valid token.
 *
 * @returns a refusal `roles_missing` or `scopes_missing`
 */
export function refusalOfAccess(claims: ClaimSet, policy: TokenPolicy): Refusal {
  for (const [, check] of ACCESS_CHECKS) {
    const refusal = check(claims, policy);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

type NamedCheck<Check> = readonly [name: string, check: Check];

/** The checks of {@link refusalOfClaims}, in this order. */
export const CLAIM_CHECKS: readonly NamedCheck<typeof refusalOfClaims>[] = [
  ['claim types', checkTypes],
  ['exp', checkExpiry],
  ['nbf', checkNotBefore],
  ['iat', checkIssuedAt],
  ['iss', checkIssuer],
  ['aud', checkAudience],
  ['token kind', checkKind],
  ['required claims', checkPresence],
];

/** The checks of {@link refusalOfAccess}, in this order. */
export const ACCESS_CHECKS: readonly NamedCheck<typeof refusalOfAccess>[] = [
  ['roles', checkRoles],
  ['scopes', checkScopes],
];

function checkTypes(claims: ClaimSet): Refusal {
  const problem = claimTypeProblem(claims);
  if (problem !== undefined) return wrongType(problem.claim, problem.expected);
  return undefined;
}

function checkExpiry(claims: ClaimSet, { leeway, anyAge }: TokenPolicy, now: number): Refusal {
  const exp = time(claims, 'exp');
  if (exp instanceof TokenRefusedError) return exp;
  if (exp === undefined)
    return new TokenRefusedError('claim_missing', "claim 'exp' is missing", { claim: 'exp' });
  if (!anyAge && now >= exp + leeway)
    return new TokenRefusedError(
      'token_expired',
      `expired ${now - exp} s ago (exp ${exp}, now ${now})`,
      { claim: 'exp', expected: now, actual: exp },
    );
  return undefined;
}

function checkNotBefore(claims: ClaimSet, { leeway, anyAge }: TokenPolicy, now: number): Refusal {
  const nbf = time(claims, 'nbf');
  if (nbf instanceof TokenRefusedError) return nbf;
  if (!anyAge && nbf !== undefined && now < nbf - leeway)
    return new TokenRefusedError(
      'token_not_yet_valid',
      `valid in ${nbf - now} s (nbf ${nbf}, now ${now})`,
      { claim: 'nbf', expected: now, actual: nbf },
    );
  return undefined;
}

function checkIssuedAt(claims: ClaimSet, { leeway, anyAge }: TokenPolicy, now: number): Refusal {
  const iat = time(claims, 'iat');
  if (iat instanceof TokenRefusedError) return iat;
  if (!anyAge && iat !== undefined && now < iat - leeway)
    return new TokenRefusedError(
      'token_not_yet_valid',
      `issued ${iat - now} s in the future: iat ${iat} by the issuer's clock, now ${now} by this one; ${leeway} s of difference are allowed`,
      { claim: 'iat', expected: now, actual: iat },
    );
  return undefined;
}

/** Reads a NumericDate (RFC 7519 section 2), in seconds since 1970; `undefined` if the claim is missing. */
function time(claims: ClaimSet, name: string): number | Refusal {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = toNumber(claims[name]);
  if (value === undefined || !Number.isFinite(value)) return wrongType(name, 'a finite number');
  return value;
}

const wrongType = (claim: string, expected: string): TokenRefusedError =>
  new TokenRefusedError('claim_invalid', `claim '${claim}' is not ${expected}`, {
    claim,
    expected,
  });

function checkIssuer(claims: ClaimSet, { issuers }: TokenPolicy): Refusal {
  const issuer = own(claims, 'iss');
  if (typeof issuer !== 'string' || !issuers.has(issuer))
    return issuerMismatch(issuer, [...issuers]);
  return undefined;
}

/** Returns the refusal for a wrong issuer. Its message names at most ten of the accepted issuers. */
export const issuerMismatch = (issuer: unknown, issuers: readonly string[]): TokenRefusedError =>
  new TokenRefusedError(
    'issuer_mismatch',
    `issuer ${show(issuer)} is not one of: ${issuers.slice(0, 10).join(', ')}${issuers.length > 10 ? ', …' : ''}`,
    { claim: 'iss', expected: issuers, actual: issuer },
  );

function checkAudience(claims: ClaimSet, policy: TokenPolicy): Refusal {
  const { audiences, audienceClaim, audienceMatcher, anyAudience } = policy;
  if (anyAudience) return undefined;
  const audience = readClaim(claims, audienceClaim, true);
  const named = audience === undefined ? [] : namesIn(audience);
  if (named === undefined) return wrongType(audienceClaim, AUDIENCE_TYPE);
  if (!matches(named, audiences, audienceMatcher))
    return new TokenRefusedError(
      'audience_mismatch',
      `audience ${show(audience)} does not hold ${audienceMatcher} of: ${audiences.join(', ')}` +
        (audienceClaim === 'aud' ? '' : ` (claim '${audienceClaim}')`),
      { claim: audienceClaim, expected: audiences, actual: audience },
    );
  return undefined;
}

function checkKind(claims: ClaimSet, { kinds }: TokenPolicy): Refusal {
  if (kinds === 'any') return undefined;
  const other = otherKind(claims);
  if (other === undefined || (kinds === 'access or ID' && other.kind === 'an ID token'))
    return undefined;
  const { claim, kind } = other;
  return new TokenRefusedError(
    'type_not_allowed',
    `the token is ${kind}, as its claim '${claim}' says: ${show(claims[claim])}`,
    { claim, actual: claims[claim] },
  );
}

function checkPresence(claims: ClaimSet, { requiredClaims }: TokenPolicy): Refusal {
  for (const name of requiredClaims) {
    const value = readClaim(claims, name, true);
    if (value === undefined || value === null)
      return new TokenRefusedError('claim_missing', `claim '${name}' is missing`, { claim: name });
  }
  return undefined;
}

function checkRoles(claims: ClaimSet, policy: TokenPolicy): Refusal {
  const { roles, rolesKey, rolesKeyIsNested, rolesMatcher } = policy;
  if (roles.length === 0) return undefined;
  const held = rolesOf(readClaim(claims, rolesKey, rolesKeyIsNested));
  if (!matches(held, roles, rolesMatcher))
    return new TokenRefusedError(
      'roles_missing',
      `needs ${rolesMatcher} of the roles: ${roles.join(', ')} (claim '${rolesKey}')`,
      { claim: rolesKey, expected: roles, actual: held },
    );
  return undefined;
}

function checkScopes(claims: ClaimSet, policy: TokenPolicy): Refusal {
  const { scopes, scopesKey, scopesMatcher } = policy;
  if (scopes.length === 0) return undefined;
  const held = scopesOf(readClaim(claims, scopesKey, true));
  if (!matches(held, scopes, scopesMatcher))
    return new TokenRefusedError(
      'scopes_missing',
      `needs ${scopesMatcher} of the scopes: ${scopes.join(' ')} (claim '${scopesKey}')`,
      { claim: scopesKey, expected: scopes, actual: held },
    );
  return undefined;
}

const matches = (held: readonly string[], wanted: readonly string[], matcher: Matcher): boolean =>
  matcher === 'all'
    ? wanted.every((name) => held.includes(name))
    : wanted.some((name) => held.includes(name));

const own = (claims: ClaimSet, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/** Formats a claim for a message, in at most 200 characters. */
const show = (value: unknown): string =>
  value === undefined ? '(none)' : (JSON.stringify(value) ?? '').slice(0, 200);
