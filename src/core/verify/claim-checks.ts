import { readClaim } from '../claims/claim-path.js';
import { toNumber } from '../json/json.js';
import { TokenRefusedError } from '../errors/token-refused.error.js';
import type { Matcher } from '../../auth/auth.module-definition.js';
import type { TokenPolicy } from './token-policy.js';

type ClaimSet = Readonly<Record<string, unknown>>;

/**
 * Checks the claims of a token whose signature holds (RFC 7519 section 4.1, RFC 8725 sections 3.8
 * to 3.10). Own members only; a value of an unexpected type never counts as a match.
 *
 * @param now seconds since 1970
 * @throws TokenRefusedError with the code of the first check that fails
 */
export function checkClaims(claims: ClaimSet, policy: TokenPolicy, now: number): void {
  for (const [, check] of CLAIM_CHECKS) check(claims, policy, now);
}

/**
 * Checks what a token that is accepted allows: roles and scopes.
 *
 * @throws TokenRefusedError `roles_missing` or `scopes_missing`
 */
export function checkAccess(claims: ClaimSet, policy: TokenPolicy): void {
  for (const [, check] of ACCESS_CHECKS) check(claims, policy);
}

type NamedCheck<Check> = readonly [name: string, check: Check];

/** What {@link checkClaims} is made of, in this order. */
export const CLAIM_CHECKS: readonly NamedCheck<typeof checkClaims>[] = [
  ['exp', checkExpiry],
  ['nbf', checkNotBefore],
  ['iat', checkIssuedAt],
  ['iss', checkIssuer],
  ['aud', checkAudience],
  ['required claims', checkPresence],
];

/** What {@link checkAccess} is made of. */
export const ACCESS_CHECKS: readonly NamedCheck<typeof checkAccess>[] = [
  ['roles', checkRoles],
  ['scopes', checkScopes],
];

function checkExpiry(claims: ClaimSet, { leeway }: TokenPolicy, now: number): void {
  const exp = time(claims, 'exp');
  if (exp === undefined) throw new TokenRefusedError('claim_missing', "claim 'exp' is missing");
  if (now >= exp + leeway)
    throw new TokenRefusedError(
      'token_expired',
      `expired ${now - exp} s ago (exp ${exp}, now ${now})`,
    );
}

function checkNotBefore(claims: ClaimSet, { leeway }: TokenPolicy, now: number): void {
  const nbf = time(claims, 'nbf');
  if (nbf !== undefined && now < nbf - leeway)
    throw new TokenRefusedError(
      'token_not_yet_valid',
      `valid in ${nbf - now} s (nbf ${nbf}, now ${now})`,
    );
}

function checkIssuedAt(claims: ClaimSet, { leeway }: TokenPolicy, now: number): void {
  const iat = time(claims, 'iat');
  if (iat !== undefined && now < iat - leeway)
    throw new TokenRefusedError(
      'token_not_yet_valid',
      `issued ${iat - now} s in the future (iat ${iat}, now ${now})`,
    );
}

/** A NumericDate (RFC 7519 section 2). */
function time(claims: ClaimSet, name: string): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = toNumber(claims[name]);
  if (value === undefined || !Number.isFinite(value))
    throw new TokenRefusedError('claim_invalid', `claim '${name}' is not a finite number`);
  return value;
}

function checkIssuer(claims: ClaimSet, { issuers }: TokenPolicy): void {
  const issuer = own(claims, 'iss');
  if (typeof issuer !== 'string' || !issuers.has(issuer))
    throw new TokenRefusedError(
      'issuer_mismatch',
      `issuer ${show(issuer)} is not one of: ${[...issuers].join(', ')}`,
    );
}

function checkAudience(claims: ClaimSet, { audiences, audienceMatcher }: TokenPolicy): void {
  const audience = own(claims, 'aud');
  const named = typeof audience === 'string' ? [audience] : strings(audience);
  if (!matches(named, audiences, audienceMatcher))
    throw new TokenRefusedError(
      'audience_mismatch',
      `audience ${show(audience)} does not hold ${audienceMatcher} of: ${audiences.join(', ')}`,
    );
}

function checkPresence(claims: ClaimSet, { requiredClaims }: TokenPolicy): void {
  for (const name of requiredClaims) {
    const value = readClaim(claims, name, true);
    if (value === undefined || value === null)
      throw new TokenRefusedError('claim_missing', `claim '${name}' is missing`);
  }
}

function checkRoles(claims: ClaimSet, policy: TokenPolicy): void {
  const { roles, rolesKey, rolesKeyIsNested, rolesMatcher } = policy;
  if (roles.length === 0) return;
  const held = words(readClaim(claims, rolesKey, rolesKeyIsNested));
  if (!matches(held, roles, rolesMatcher))
    throw new TokenRefusedError(
      'roles_missing',
      `needs ${rolesMatcher} of the roles: ${roles.join(', ')} (claim '${rolesKey}')`,
    );
}

function checkScopes(claims: ClaimSet, policy: TokenPolicy): void {
  const { scopes, scopesKey, scopesMatcher } = policy;
  if (scopes.length === 0) return;
  const held = words(readClaim(claims, scopesKey, true));
  if (!matches(held, scopes, scopesMatcher))
    throw new TokenRefusedError(
      'scopes_missing',
      `needs ${scopesMatcher} of the scopes: ${scopes.join(' ')} (claim '${scopesKey}')`,
    );
}

const matches = (held: readonly string[], wanted: readonly string[], matcher: Matcher): boolean =>
  matcher === 'all'
    ? wanted.every((name) => held.includes(name))
    : wanted.some((name) => held.includes(name));

/** A list of strings, or one string with spaces between (RFC 6749 section 3.3). */
const words = (value: unknown): readonly string[] =>
  typeof value === 'string' ? value.split(' ') : strings(value);

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

const own = (claims: ClaimSet, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/** A claim as a message may quote it. */
const show = (value: unknown): string =>
  value === undefined ? '(none)' : (JSON.stringify(value) ?? '').slice(0, 200);
