import { HOP_TOKEN_TYPE } from '../claims/index.js';
import { BootError } from '../errors/index.js';
import { isAsymmetric, isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from '../jws/index.js';
import { LONGEST_LEEWAY } from '../revocation/index.js';
import { claimHeaderProblems, type ClaimHeaders } from './claim-headers.js';
import type {
  HopOptions,
  IssuerOptions,
  RoutePolicyOptions,
  TokenPolicy,
} from './policy-options.js';

/** Value of {@link TokenPolicyOptions.audience} that accepts tokens for any recipient. */
export const UNCHECKED = 'unchecked';

/** Algorithms of keys that are published. HMAC is not one of them, since its key has to stay secret. */
export const ASYMMETRIC = JWS_ALGORITHMS.filter(isAsymmetric);

/**
 * The supported algorithms of DPoP proofs (RFC 9449), and the default. A proof contains its key and is sent in a
 * header; the two larger kinds of ML-DSA make it too long for that.
 */
export const DPOP_ALGORITHMS: readonly JwsAlgorithm[] = ASYMMETRIC.filter(
  (alg) => alg !== 'ML-DSA-65' && alg !== 'ML-DSA-87',
);

/** One value of `acr_values`, which is a quoted list separated by blanks (RFC 9470 section 3). */
const ACR = /^[!#-[\]-~]+$/;

/** Returns the problem of `acr` or `maxAge`. The types are checked as well, for callers in JavaScript. */
function authenticationProblem({ acr, maxAge }: RoutePolicyOptions): string | undefined {
  if (acr !== undefined) {
    const values: readonly unknown[] = Array.isArray(acr) ? acr : [];
    if (values.length === 0 || !values.every((one) => typeof one === 'string' && ACR.test(one)))
      return "'acr' is not a list of strings without blanks and quotes";
  }
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge > 0))
    return "'maxAge' is not a whole number of seconds above 0";
  return undefined;
}

/** Largest `dpopWindow`, in seconds. Every used proof is remembered for up to about twice as long. */
const LONGEST_DPOP_WINDOW = 3600;

/**
 * Checks the values of a compiled policy.
 *
 * @param acceptsUnlisted true if tokens of issuers that are not listed are accepted, too
 * @throws BootError for a policy that no token can fulfil, or with a value out of its range
 */
export function assertUsable(policy: TokenPolicy, acceptsUnlisted = false): void {
  const { algorithms, issuers, audiences, types, leeway, dpopAlgorithms, dpopWindow } = policy;
  const { anyAudience, audienceClaim, maxTokenLength } = policy;
  const problems: string[] = [];
  for (const [name, { length }] of Object.entries({
    algorithms: [...algorithms],
    ...(acceptsUnlisted ? {} : { issuer: [...issuers] }),
    audience: audiences,
    types: [...types],
    dpopAlgorithms: [...dpopAlgorithms],
  }))
    if (length === 0) problems.push(`'${name}' is empty, which no token could fulfil`);
  for (const alg of algorithms)
    if (!isJwsAlgorithm(alg)) problems.push(`'${String(alg)}' is not a supported algorithm`);
  for (const alg of dpopAlgorithms)
    if (!DPOP_ALGORITHMS.includes(alg))
      problems.push(`'dpopAlgorithms': '${alg}' is not one of: ${DPOP_ALGORITHMS.join(', ')}`);
  if (!(dpopWindow > 0 && dpopWindow <= LONGEST_DPOP_WINDOW))
    problems.push(`'dpopWindow' is not a number of seconds up to ${LONGEST_DPOP_WINDOW}`);
  // Revocations are forgotten LONGEST_LEEWAY seconds after the token's `exp`.
  if (!(leeway >= 0 && leeway <= LONGEST_LEEWAY))
    problems.push(`'leeway' is not a number of seconds up to ${LONGEST_LEEWAY}`);
  if (!(Number.isInteger(maxTokenLength) && maxTokenLength > 0))
    problems.push(`'maxTokenLength' is not a number of characters`);
  if (audiences.length > 1 && audiences.includes(UNCHECKED))
    problems.push(`'audience' is '${UNCHECKED}' and names recipients; choose one`);
  if (anyAudience && audienceClaim !== 'aud')
    problems.push(
      `'audience' is '${UNCHECKED}', so 'audienceClaim' is not looked at; leave one of them out`,
    );
  if (problems.length > 0) throw new BootError(problems);
}

/** @throws BootError for issuers that contradict each other or other options of the route */
export function assertIssuers(issuers: readonly IssuerOptions[], given: RoutePolicyOptions): void {
  if (issuers.some(({ own, introspection }) => own === true && introspection !== undefined))
    throw new BootError(
      "'issuers': 'introspection' is for tokens of others, and one that is marked 'own' has it",
    );
  if (issuers.length === 0) throw new BootError("'issuers' is empty, which no token could fulfil");
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new BootError(`'issuers' names ${twice} twice`);
  for (const name of ['issuer', 'jwkUrl', 'jwkLocalPath'] as const)
    if (given.issuers !== undefined && given[name] !== undefined)
      throw new BootError(`'issuers' and '${name}' are both set; choose one`);
}

/**
 * Checks the options of a route.
 *
 * @param given the options as they are set on the route
 * @param policy the policy that was compiled from them
 * @throws BootError for options that contradict each other, or that would let everybody in
 */
export function assertRoute(
  given: RoutePolicyOptions,
  policy: TokenPolicy,
  propagateClaims: ClaimHeaders = {},
): void {
  const problems = claimHeaderProblems(propagateClaims);
  if (problems.length > 0)
    throw new BootError(problems.map((problem) => `'propagateClaims' ${problem}`));
  for (const name of ['roles', 'scopes'] as const)
    if (given[name]?.length === 0)
      throw new BootError(
        `'${name}' is empty, which would let everybody in; leave it out to ask for none`,
      );
  const problem = authenticationProblem(given);
  if (problem !== undefined) throw new BootError(problem);
  if (given.hop !== true && policy.types.has(HOP_TOKEN_TYPE))
    throw new BootError(
      `'types' names ${HOP_TOKEN_TYPE}: a token for a backend opens routes with 'hop: true' only`,
    );
  const hopProblem = policy.hop === undefined ? undefined : hopOptionsProblem(policy.hop);
  if (hopProblem !== undefined) throw new BootError(hopProblem);
  const { roles, scopes, acr, maxAge } = policy;
  if (policy.optional && (roles.length + scopes.length + acr.length > 0 || maxAge !== undefined))
    throw new BootError(
      "'optional' lets everybody in without a token, so it cannot go with roles, scopes, acr or maxAge",
    );
}

/** Claims that cannot be copied: the gateway sets them itself, or they would bind the token to a client. */
const NO_HOP_CLAIMS = new Set([
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'sub',
  'txn',
  'scope',
  'cnf',
  'sid',
]);

/** Returns the problem of the option `hop`; `undefined` if there is none. */
export function hopOptionsProblem({
  audience,
  claims = [],
  ttl = 30,
}: HopOptions): string | undefined {
  if (audience === '') return "'hop': 'audience' is empty";
  if (!(Number.isSafeInteger(ttl) && ttl >= 2 && ttl <= 3600))
    return "'hop': 'ttl' is not a whole number of seconds from 2 to 3600";
  const taken = claims.find((name) => NO_HOP_CLAIMS.has(name));
  return taken === undefined ? undefined : `'hop': 'claims' cannot name ${taken}`;
}

/**
 * True if nothing limits the recipients of accepted tokens: the audience is unchecked, and neither required claims nor
 * a class of claims replace the check. Then tokens are accepted that an issuer made for any other service.
 */
export const hasUncheckedAudience = (policy: TokenPolicy): boolean =>
  [...(policy.perIssuer?.values() ?? [policy])].some(
    ({ anyAudience, requiredClaims, checkClaimsClass }) =>
      anyAudience && requiredClaims.length === 0 && checkClaimsClass === undefined,
  );
