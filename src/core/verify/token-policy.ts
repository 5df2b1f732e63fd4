import { BootError } from '../errors/boot.error.js';
import type { KeySource } from '../../jwks/index.js';
import { isJwsAlgorithm, type JwsAlgorithm } from '../jws/index.js';
import { normalizeType } from '../claims/token-type.js';
import type { AuthModuleOptions, Matcher } from '../../auth/auth.module-definition.js';
import { claimHeaderProblems, type ClaimHeaderList } from './claim-headers.js';
import { compileClaimsCheck, type ClaimsCheck } from '../../auth/claims-class.js';
import type { RequireJwtOptions } from '../../auth/require-jwt.metadata.js';

/** A `TokenPolicyOptions` with all defaults filled in, in the form the checks use. */
export interface TokenPolicy {
  readonly algorithms: ReadonlySet<JwsAlgorithm>;
  readonly issuers: ReadonlySet<string>;
  readonly audiences: readonly string[];
  readonly audienceMatcher: Matcher;
  readonly roles: readonly string[];
  readonly rolesKey: string;
  readonly rolesKeyIsNested: boolean;
  readonly rolesMatcher: Matcher;
  readonly scopes: readonly string[];
  readonly scopesKey: string;
  readonly scopesMatcher: Matcher;
  readonly requiredClaims: readonly string[];
  /** Lower case, without `application/`. */
  readonly types: ReadonlySet<string>;
  readonly cookieKey: string | undefined;
  /** Lower case. */
  readonly authHeaderName: string;
  /** Seconds. */
  readonly leeway: number;
  /** The only keys that count; `undefined` for those of the gateway. */
  readonly keySource: KeySource | undefined;
  /** A request without a token passes. */
  readonly optional: boolean;
  /** Claims that become headers of backend calls. */
  readonly claimHeaders: ClaimHeaderList;
  /** What the route's class of claims asks for. */
  readonly checkClaimsClass: ClaimsCheck | undefined;
  /** Headers that may carry the token; no backend gets them. Lower case. */
  readonly credentialHeaders: readonly string[];
}

/**
 * Joins what a route says with the defaults of the module. A member the route leaves out, or sets
 * to `undefined`, keeps its default.
 *
 * @throws BootError when the result could accept nothing, or check nothing
 */
export function compilePolicy(route: RequireJwtOptions, defaults: AuthModuleOptions): TokenPolicy {
  const given = Object.fromEntries(
    Object.entries(route).filter(([, value]) => value !== undefined),
  ) as RequireJwtOptions;
  const merged = { ...defaults, ...given, ...adminRoles(given, defaults) };
  const authHeaderName = (merged.authHeaderName ?? 'Authorization').toLowerCase();
  const { cookieKey } = merged;
  const policy: TokenPolicy = {
    algorithms: new Set(merged.algorithms),
    issuers: new Set(list(merged.issuer)),
    audiences: list(merged.audience),
    audienceMatcher: merged.audienceMatcher ?? 'any',
    roles: merged.roles ?? [],
    rolesKey: merged.rolesKey ?? 'roles',
    rolesKeyIsNested: merged.rolesKeyIsNested ?? false,
    rolesMatcher: merged.rolesMatcher ?? 'any',
    scopes: merged.scopes ?? [],
    scopesKey: merged.scopesKey ?? 'scope',
    scopesMatcher: merged.scopesMatcher ?? 'any',
    requiredClaims: merged.requiredClaims ?? [],
    types: new Set((merged.types ?? ['JWT', 'at+jwt']).map(normalizeType)),
    cookieKey,
    authHeaderName,
    leeway: merged.leeway ?? 1,
    keySource: keySource(given),
    optional: merged.optional ?? false,
    claimHeaders: Object.entries(merged.propagateClaims ?? {}).map(
      ([claim, header]) => [claim, header.toLowerCase()] as const,
    ),
    checkClaimsClass: merged.claims === undefined ? undefined : compileClaimsCheck(merged.claims),
    credentialHeaders: cookieKey === undefined ? [authHeaderName] : [authHeaderName, 'cookie'],
  };
  assertUsable(policy);
  const problems = claimHeaderProblems(merged.propagateClaims ?? {});
  if (problems.length > 0)
    throw new BootError(problems.map((problem) => `'propagateClaims' ${problem}`));
  for (const name of ['roles', 'scopes'] as const)
    if (given[name]?.length === 0)
      throw new BootError(
        `'${name}' is empty, which would let everybody in; leave it out to ask for none`,
      );
  if (policy.optional && policy.roles.length + policy.scopes.length > 0)
    throw new BootError(
      "'optional' lets everybody in without a token, so it cannot go with roles or scopes",
    );
  return policy;
}

/** What `admin: true` stands for. */
function adminRoles(
  { admin, roles }: RequireJwtOptions,
  defaults: AuthModuleOptions,
): Pick<RequireJwtOptions, 'roles' | 'rolesMatcher'> {
  if (admin !== true) return {};
  if (roles !== undefined) throw new BootError("'admin' and 'roles' are both set; choose one");
  if (defaults.adminRoles === undefined || defaults.adminRoles.length === 0)
    throw new BootError("'admin' needs the option adminRoles of AuthModule, which is empty");
  return { roles: defaults.adminRoles, rolesMatcher: 'any' };
}

function keySource({ jwkUrl, jwkLocalPath }: RequireJwtOptions): KeySource | undefined {
  if (jwkUrl !== undefined && jwkLocalPath !== undefined)
    throw new BootError("'jwkUrl' and 'jwkLocalPath' are both set; choose one");
  if (jwkUrl !== undefined) return { url: jwkUrl };
  return jwkLocalPath === undefined ? undefined : { path: jwkLocalPath };
}

/**
 * Whoever writes JavaScript may have left it out. An empty text comes from a variable that is not
 * set: a token without a name must not pass by it.
 */
const list = (value: string | readonly string[] | undefined): readonly string[] =>
  (typeof value === 'string' ? [value] : (value ?? [])).filter(Boolean);

function assertUsable(policy: TokenPolicy): void {
  const { algorithms, issuers, audiences, types, leeway } = policy;
  const problems: string[] = [];
  for (const [name, { length }] of Object.entries({
    algorithms: [...algorithms],
    issuer: [...issuers],
    audience: audiences,
    types: [...types],
  }))
    if (length === 0) problems.push(`'${name}' is empty, which no token could fulfil`);
  for (const alg of algorithms)
    if (!isJwsAlgorithm(alg)) problems.push(`'${String(alg)}' is not a supported algorithm`);
  if (!(leeway >= 0 && Number.isFinite(leeway)))
    problems.push(`'leeway' is not a number of seconds`);
  if (problems.length > 0) throw new BootError(problems);
}
