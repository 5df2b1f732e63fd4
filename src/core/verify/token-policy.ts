import { HOP_TOKEN_HEADER, HOP_TOKEN_TYPE, normalizeType } from '../claims/index.js';
import { BootError } from '../errors/index.js';
import { MAX_TOKEN_LENGTH } from '../jws/index.js';
import type { KeySource } from '../keys/index.js';
import { compileClaimHeaders } from './claim-headers.js';
import type {
  TokenPolicyOptions,
  IssuerOptions,
  IssuerFinder,
  PolicyDefaults,
  RoutePolicyOptions,
  ClaimsCheck,
  TokenPolicy,
} from './policy-options.js';
import {
  assertIssuers,
  assertRoute,
  assertUsable,
  ASYMMETRIC,
  DPOP_ALGORITHMS,
  UNCHECKED,
} from './policy-rules.js';

/** Defaults of the option `introspection`. */
export const STANDARD_INTROSPECTION = {
  tokens: 'opaque',
  cacheTtl: 30,
  timeoutMs: 2000,
} as const satisfies Partial<NonNullable<TokenPolicyOptions['introspection']>>;

/** Defaults of options that neither the route nor the module sets. */
export const STANDARD_POLICY = {
  audienceMatcher: 'any',
  audienceClaim: 'aud',
  rolesKey: 'roles',
  rolesMatcher: 'any',
  scopesKey: 'scope',
  scopesMatcher: 'any',
  types: ['JWT', 'at+jwt'],
  authHeaderName: 'Authorization',
  leeway: 1,
  dpopWindow: 60,
  maxTokenLength: MAX_TOKEN_LENGTH,
} as const satisfies Partial<TokenPolicyOptions>;

/**
 * Compiles the options of a route with the defaults of the module. An option that the route leaves out, or sets
 * to `undefined`, keeps its default.
 *
 * @param checkClaimsClass the check by the route's class of claims, if it has one
 * @param findIssuer finds the policy for issuers that are not listed. Routes with issuers or keys of their own, and
 * routes with `admin`, do not use it
 * @throws BootError for options that no token can fulfil, or that contradict each other
 */
export function compilePolicy(
  route: RoutePolicyOptions,
  defaults: PolicyDefaults,
  checkClaimsClass?: ClaimsCheck,
  findIssuer?: IssuerFinder,
): TokenPolicy {
  const given = Object.fromEntries(
    Object.entries(route).filter(([, value]) => value !== undefined),
  ) as RoutePolicyOptions;
  const merged = {
    ...defaults,
    ...given,
    ...adminRoles(given, defaults),
    ...(given.hop === true ? hopPlaces(given) : {}),
  };
  const authHeaderName = (merged.authHeaderName ?? STANDARD_POLICY.authHeaderName).toLowerCase();
  const { cookieKey } = merged;
  const ownKeys = keySource(given);
  // A route with keys of its own accepts only tokens that these keys verify.
  const hasOwnKeys = ownKeys !== undefined && given.admin !== true;
  const listed = given.issuer === undefined && !hasOwnKeys ? merged.issuers : given.issuers;
  // Roles in tokens of other issuers give no admin rights: admins need our own tokens.
  const issuers = given.admin === true ? listed?.filter(({ own }) => own === true) : listed;
  if (given.admin === true && issuers?.length === 0)
    throw new BootError("'admin' takes our own tokens only, and none of 'issuers' is our own");
  const names = issuers?.map(({ issuer }) => issuer) ?? list(merged.issuer);
  const ours = ownIssuers(defaults);
  const introspection = endpointOf(given, merged);
  const common = {
    algorithms: new Set(merged.algorithms),
    issuers: new Set(names),
    foreignIssuers:
      ownKeys === undefined ? NO_ISSUERS : new Set(names.filter((name) => !ours.includes(name))),
    ...recipients(merged),
    audienceClaim: merged.audienceClaim ?? STANDARD_POLICY.audienceClaim,
    anyAge: false,
    anyHolder: false,
    audienceMatcher: merged.audienceMatcher ?? STANDARD_POLICY.audienceMatcher,
    roles: merged.roles ?? [],
    rolesKey: merged.rolesKey ?? STANDARD_POLICY.rolesKey,
    rolesKeyIsNested: merged.rolesKeyIsNested ?? false,
    rolesMatcher: merged.rolesMatcher ?? STANDARD_POLICY.rolesMatcher,
    scopes: merged.scopes ?? [],
    scopesKey: merged.scopesKey ?? STANDARD_POLICY.scopesKey,
    scopesMatcher: merged.scopesMatcher ?? STANDARD_POLICY.scopesMatcher,
    requiredClaims: merged.requiredClaims ?? [],
    acr: merged.acr ?? [],
    maxAge: merged.maxAge,
    profiled: (merged.profile ?? (ownKeys === undefined ? 'rfc9068' : 'none')) === 'rfc9068',
    maxTokenLength: merged.maxTokenLength ?? STANDARD_POLICY.maxTokenLength,
    types: new Set((merged.types ?? STANDARD_POLICY.types).map(normalizeType)),
    full: merged.full ?? false,
    kinds: kindsOf(merged.idTokens),
    cookieKey,
    authHeaderName,
    leeway: merged.leeway ?? STANDARD_POLICY.leeway,
    keySource: ownKeys,
    optional: merged.optional ?? false,
    claimHeaders: compileClaimHeaders(merged.propagateClaims ?? {}, merged),
    checkClaimsClass,
    dpop: merged.dpop ?? false,
    dpopAlgorithms: new Set(merged.dpopAlgorithms ?? DPOP_ALGORITHMS),
    dpopWindow: merged.dpopWindow ?? STANDARD_POLICY.dpopWindow,
    // Admin routes accept our own tokens only, and these are JWTs.
    introspection: given.admin === true ? undefined : introspection,
    jwtIntrospection: introspection?.tokens === 'all' ? introspection : undefined,
    hop: given.hop === true ? undefined : given.hop,
    credentialHeaders: [authHeaderName, 'dpop'],
  };
  const single: TokenPolicy = { ...common, perIssuer: undefined, unlistedIssuer: undefined };
  const compileIssuer = (one: IssuerOptions): TokenPolicy => {
    const compiled = ofIssuer({ profile: merged.profile, ...one }, single);
    assertUsable(compiled);
    return compiled;
  };
  const namesIssuers = (['admin', 'issuer', 'issuers', 'jwkUrl', 'jwkLocalPath'] as const).some(
    (name) => given[name] !== undefined && given[name] !== false,
  );
  const find = namesIssuers ? undefined : findIssuer;
  if (issuers === undefined) assertUsable(single, find !== undefined);
  const policy: TokenPolicy = {
    ...single,
    perIssuer: issuers && new Map(issuers.map((one) => [one.issuer, compileIssuer(one)])),
    unlistedIssuer: find && ((iss) => find(iss, compileIssuer)),
  };
  if (issuers !== undefined) assertIssuers(issuers, given);
  assertRoute(given, policy, merged.propagateClaims);
  return policy;
}

/** Returns the options of a route with `hop: true`: the header and the type of its tokens. */
function hopPlaces(given: RoutePolicyOptions): Partial<TokenPolicyOptions> {
  for (const name of ['authHeaderName', 'cookieKey', 'types', 'dpop', 'introspection'] as const)
    if (given[name] !== undefined)
      throw new BootError(
        `'hop: true' takes a token of type ${HOP_TOKEN_TYPE} from the header ${HOP_TOKEN_HEADER}; leave out '${name}'`,
      );
  return {
    authHeaderName: HOP_TOKEN_HEADER,
    cookieKey: undefined,
    types: [HOP_TOKEN_TYPE],
    dpop: false,
    introspection: undefined,
  };
}

function recipients({
  audience,
}: Pick<TokenPolicyOptions, 'audience'>): Pick<TokenPolicy, 'audiences' | 'anyAudience'> {
  const audiences = list(audience);
  return { audiences, anyAudience: audiences.length === 1 && audiences[0] === UNCHECKED };
}

/** Returns a policy with some members changed, also in the policies of its issuers. */
export function varyPolicy(policy: TokenPolicy, changes: Partial<TokenPolicy>): TokenPolicy {
  const { perIssuer, unlistedIssuer } = policy;
  const vary = (one: TokenPolicy): TokenPolicy => ({ ...one, ...changes });
  return {
    ...vary(policy),
    perIssuer: perIssuer && new Map([...perIssuer].map(([issuer, one]) => [issuer, vary(one)])),
    unlistedIssuer:
      unlistedIssuer &&
      (async (iss) => {
        const one = await unlistedIssuer(iss);
        return one && vary(one);
      }),
  };
}

/**
 * Returns the issuer of an accepted token as names in revocations contain it; `undefined` for our own tokens.
 *
 * @param iss the claim of the token
 */
export function foreignIssuerOf(policy: TokenPolicy, iss: unknown): string | undefined {
  if (typeof iss !== 'string') return undefined;
  const { issuers, perIssuer, unlistedIssuer } = policy;
  if (unlistedIssuer !== undefined && !issuers.has(iss)) return iss;
  return (perIssuer?.get(iss) ?? policy).foreignIssuers.has(iss) ? iss : undefined;
}

const kindsOf = (idTokens = false): TokenPolicy['kinds'] => (idTokens ? 'access or ID' : 'access');

const NO_ISSUERS: ReadonlySet<string> = new Set();

/** Returns the issuers whose tokens this gateway signs. */
const ownIssuers = ({ issuer, issuers }: PolicyDefaults): readonly string[] =>
  issuers?.filter(({ own }) => own === true).map((one) => one.issuer) ?? list(issuer);

/** Returns the policy of a route for tokens of one of its issuers. */
function ofIssuer(one: IssuerOptions, policy: TokenPolicy): TokenPolicy {
  return {
    ...policy,
    issuers: new Set([one.issuer]),
    foreignIssuers: one.own === true ? NO_ISSUERS : new Set([one.issuer]),
    algorithms: new Set(one.algorithms ?? (one.own === true ? policy.algorithms : ASYMMETRIC)),
    ...(one.audience === undefined ? {} : recipients({ audience: one.audience })),
    audienceClaim: one.audienceClaim ?? policy.audienceClaim,
    profiled: one.own === true || one.profile === 'rfc9068',
    audienceMatcher: one.audienceMatcher ?? policy.audienceMatcher,
    kinds: one.idTokens === undefined ? policy.kinds : kindsOf(one.idTokens),
    keySource: issuerKeys(one, policy),
    jwtIntrospection: one.introspection ?? (one.own === true ? undefined : policy.jwtIntrospection),
  };
}

/** Returns the endpoint of a route. With issuers or keys of its own, it does not inherit the endpoint of the module. */
function endpointOf(
  given: RoutePolicyOptions,
  merged: RoutePolicyOptions,
): RoutePolicyOptions['introspection'] {
  const { issuer, issuers, jwkUrl, jwkLocalPath } = given;
  const isApart = [issuer, issuers, jwkUrl, jwkLocalPath].some((own) => own !== undefined);
  return isApart ? given.introspection : merged.introspection;
}

/** Returns the source of an issuer's keys: for an own issuer without a source of its own, that of the policy. */
function issuerKeys(
  one: IssuerOptions,
  { keySource: configured }: TokenPolicy,
): KeySource | undefined {
  const { own, jwksUri, jwkLocalPath, keys } = one;
  const isOwn = own === true && [jwksUri, jwkLocalPath, keys].every((key) => key === undefined);
  return isOwn ? configured : issuerKeySource(one);
}

/**
 * Returns the source of an issuer's keys. Default: the `jwks_uri` of its metadata.
 *
 * @throws BootError for several sources
 */
export function issuerKeySource({
  issuer,
  jwksUri,
  jwkLocalPath,
  keys,
  remote,
}: IssuerOptions): KeySource {
  const given = [jwksUri, jwkLocalPath, keys].filter((source) => source !== undefined);
  if (given.length > 1)
    throw new BootError(
      `'issuers': ${issuer} has several of 'jwksUri', 'jwkLocalPath' and 'keys'; choose one`,
    );
  if (keys !== undefined) return keys;
  if (jwkLocalPath !== undefined) return { path: jwkLocalPath, options: remote };
  if (jwksUri !== undefined) return { url: jwksUri, options: remote };
  return { discover: issuer, options: remote };
}

/** Returns the roles that `admin: true` requires. */
function adminRoles(
  { admin, roles }: RoutePolicyOptions,
  defaults: PolicyDefaults,
): Pick<RoutePolicyOptions, 'roles' | 'rolesMatcher'> {
  if (admin !== true) return {};
  if (roles !== undefined) throw new BootError("'admin' and 'roles' are both set; choose one");
  if (defaults.adminRoles === undefined || defaults.adminRoles.length === 0)
    throw new BootError("'admin' needs the option adminRoles of AuthModule, which is empty");
  return { roles: defaults.adminRoles, rolesMatcher: 'any' };
}

function keySource({ jwkUrl, jwkLocalPath, remote }: RoutePolicyOptions): KeySource | undefined {
  if (jwkUrl !== undefined && jwkLocalPath !== undefined)
    throw new BootError("'jwkUrl' and 'jwkLocalPath' are both set; choose one");
  if (jwkUrl !== undefined) return { url: jwkUrl, options: remote };
  return jwkLocalPath === undefined ? undefined : { path: jwkLocalPath, options: remote };
}

/**
 * Returns a value as a list; callers in JavaScript may leave it out. Empty texts (variables that are not set) are
 * dropped, since they would match an empty claim.
 */
const list = (value: string | readonly string[] | undefined): readonly string[] =>
  (typeof value === 'string' ? [value] : (value ?? [])).filter(Boolean);
