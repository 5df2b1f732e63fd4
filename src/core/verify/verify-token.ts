import { TokenRefusedError } from '../errors/index.js';
import { toNumber } from '../json/index.js';
import { type CompactJws, type JwsAlgorithm, type JwsKey } from '../jws/index.js';
import type { KeyNames, KeySource } from '../keys/index.js';
import type { TokenNames } from '../revocation/index.js';
import { nowSeconds } from '../time/index.js';
import type { ProofMemory } from './dpop-proof.js';
import { assertHolder, needsHolder, type TokenHolder } from './token-binding.js';
import {
  asksForLogin,
  refusalOfAccess,
  refusalOfClaims,
  refusalOfLogin,
  refusalOfTimes,
  issuerMismatch,
  type Refusal,
} from './claim-checks.js';
import type { SignatureCache } from './signature-cache.js';
import {
  allowedAlgorithm,
  allowedType,
  assertAccessToken,
  assertFits,
  assertProfile,
  refusalOfRevocation,
  refusalOfSignature,
  introspected,
  isOpaque,
  parseClaims,
  parseToken,
  type Introspector,
  type RevocationView,
} from './token-checks.js';
import type { IntrospectionOptions, TokenPolicy } from './policy-options.js';
import { foreignIssuerOf } from './token-policy.js';
import type { VerifiedClaims } from './verified-claims.js';

/** The source of the keys that verify tokens. */
export interface VerificationKeys {
  /** Returns the known keys that a header names, without waiting. */
  verificationKeys(names: KeyNames, source?: KeySource): readonly JwsKey[];
  /** Asks the source for keys that are not known yet, for a bounded time. */
  awaitVerificationKeys(names: KeyNames, source?: KeySource): Promise<readonly JwsKey[]>;
}

/** Observes the use of tokens that this gateway signed. */
export interface TokenUses {
  /** @returns a promise to wait for before the token is accepted; `undefined` if there is nothing to wait for */
  note(token: string, claims: Readonly<Record<string, unknown>>): Promise<void> | undefined;
}

/** The keys, caches and stores that {@link verifyToken} uses. */
export interface Verification {
  readonly keys: VerificationKeys;
  /** Default: no token is revoked. */
  readonly revocations?: RevocationView;
  /** Default: every signature is computed. */
  readonly signatures?: SignatureCache;
  /** Default: tokens that are bound to a key are refused. */
  readonly proofs?: ProofMemory;
  /** Default: uses are not observed. */
  readonly uses?: TokenUses;
  /** Required by policies with an introspection endpoint. */
  readonly introspector?: Introspector;
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Verifies a token (RFC 7519 section 7.2, RFC 8725): format, algorithm, key, signature, type, claims,
 * revocation, holder, class of claims, login, roles and scopes, in this order. If the policy has an introspection
 * endpoint (RFC 7662), a token that is no JWS is introspected in place of the first five checks, a JWT after them.
 *
 * @param token a JWS, or an opaque token to introspect
 * @param holder the client that presents the token. Default: none, so a token that is bound to its holder is refused
 * @returns the claims of a token that fulfils `policy`
 * @throws TokenRefusedError with the code of the first check that fails
 * @throws what `keys`, `revocations` and `introspector` throw while they cannot answer
 */
export async function verifyToken(
  token: string,
  policy: TokenPolicy,
  verification: Verification,
  holder?: TokenHolder,
): Promise<VerifiedClaims> {
  const verdict = await tokenVerdict(token, policy, verification, holder);
  if (verdict instanceof TokenRefusedError) throw verdict;
  return verdict;
}

/** The result of a verification: the claims of the token, or why it is refused. */
export type TokenVerdict = VerifiedClaims | TokenRefusedError;

/**
 * Like {@link verifyToken}, but returns a refusal instead of throwing it. Returns a promise only if a check has to
 * wait; HMAC and cached signatures do not.
 *
 * @throws what `keys`, `revocations` and `introspector` throw while they cannot answer
 */
export function tokenVerdict(
  token: string,
  policy: TokenPolicy,
  verification: Verification,
  holder?: TokenHolder,
): TokenVerdict | Promise<TokenVerdict> {
  try {
    const verdict = startVerification(token, policy, verification, holder);
    return verdict instanceof Promise ? verdict.catch(refusalOrThrow) : verdict;
  } catch (error) {
    return refusalOrThrow(error);
  }
}

function refusalOrThrow(error: unknown): TokenRefusedError {
  if (error instanceof TokenRefusedError) return error;
  throw error;
}

/** Verifies a token. Rare refusals are thrown, frequent ones returned: see {@link Refusal} for the reason. */
function startVerification(
  token: string,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
): TokenVerdict | Promise<TokenVerdict> {
  const { introspection } = policy;
  if (introspection !== undefined && isOpaque(token, policy))
    return verifyOpaque(token, policy, introspection, verification, holder);
  const jws = parseToken(token, policy);
  if (policy.perIssuer === undefined && policy.unlistedIssuer === undefined)
    return verifyBy(token, jws, policy, verification, holder);
  const claims = parseClaims(jws.payload);
  const chosen = issuerPolicy(claims, policy);
  return chosen instanceof Promise
    ? chosen.then((ofIssuer) => verifyBy(token, jws, ofIssuer, verification, holder, claims))
    : verifyBy(token, jws, chosen, verification, holder, claims);
}

/**
 * Returns the policy for the issuer that a token names. That policy accepts signatures by keys of this issuer only.
 *
 * @returns a promise only for an issuer that is not listed
 * @throws TokenRefusedError `issuer_mismatch` for an unknown issuer
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

/**
 * Returns the claims of an introspection answer and the policy for the issuer that it names. If the answer has no
 * `iss` and only one issuer is possible, that one is filled in. The endpoint may answer for listed issuers only:
 * neither for our own tokens, nor for issuers that are found at run time, each of which is another provider.
 *
 * @throws TokenRefusedError `issuer_mismatch` for any other issuer
 */
export function answerPolicy(
  answer: Claims,
  policy: TokenPolicy,
): { claims: Claims; policy: TokenPolicy } {
  const { perIssuer, keySource, issuers, foreignIssuers } = policy;
  const names =
    perIssuer !== undefined
      ? [...perIssuer].filter(([iss, one]) => one.foreignIssuers.has(iss)).map(([iss]) => iss)
      : // A policy that uses the keys of `JwksModule` cannot tell our own issuers from others.
        [...(keySource === undefined ? issuers : foreignIssuers)];
  const claims =
    Object.hasOwn(answer, 'iss') || names.length !== 1 ? answer : { ...answer, iss: names[0] };
  const named = names.find((name) => name === claims.iss);
  if (named === undefined) throw issuerMismatch(claims.iss, names);
  return { claims, policy: perIssuer?.get(named) ?? policy };
}

async function verifyOpaque(
  token: string,
  policy: TokenPolicy,
  endpoint: IntrospectionOptions,
  verification: Verification,
  holder: TokenHolder | undefined,
): Promise<TokenVerdict> {
  const answer = await introspected(token, endpoint, verification.introspector);
  const { claims, policy: chosen } = answerPolicy(answer, policy);
  assertAccessToken(claims);
  const names = { issuer: foreignIssuerOf(chosen, claims.iss), claims, signingInput: token };
  return accept(token, names, chosen, verification, holder);
}

function verifyBy(
  token: string,
  jws: CompactJws,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
  parsed?: Claims,
): TokenVerdict | Promise<TokenVerdict> {
  const { keys, signatures } = verification;
  const { header } = jws;
  const { keySource } = policy;
  const alg = allowedAlgorithm(header, policy);
  const signed = (candidates: readonly JwsKey[]): TokenVerdict | Promise<TokenVerdict> => {
    const [key, ...others] = candidates;
    assertFits(key, header, alg);
    const rest = (signer: JwsKey): TokenVerdict | Promise<TokenVerdict> =>
      verifySigned(token, jws, signer, policy, verification, holder, parsed);
    if (others.length > 0) return signerAmong(jws, alg, candidates).then(rest);
    // An HMAC (3 µs) costs less than the cache look-up.
    const refusal =
      key.kty === 'oct' || signatures === undefined
        ? refusalOfSignature(jws, alg, key)
        : refusalOfSignatureOnce(token, jws, alg, key, signatures);
    return refusal instanceof Promise
      ? refusal.then((late) => late ?? rest(key))
      : (refusal ?? rest(key));
  };
  const known = keys.verificationKeys(header, keySource);
  return known.length > 0
    ? signed(known)
    : keys.awaitVerificationKeys(header, keySource).then(signed);
}

/** Checks a token after its signature. Returns a promise only if a check waits. */
function verifySigned(
  token: string,
  jws: CompactJws,
  { kid }: JwsKey,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
  parsed: Claims | undefined,
): TokenVerdict | Promise<TokenVerdict> {
  const { header, signingInput } = jws;
  const type = allowedType(header, policy);
  const own: Claims = parsed ?? parseClaims(jws.payload);
  const accepted = (claims: Claims): TokenVerdict | Promise<TokenVerdict> => {
    assertProfile(type, claims, policy);
    const issuer = foreignIssuerOf(policy, claims.iss);
    return accept(token, { issuer, kid, claims, signingInput }, policy, verification, holder);
  };
  return policy.jwtIntrospection === undefined
    ? accepted(own)
    : askedAbout(token, own, policy, policy.jwtIntrospection, verification).then((answer) =>
        answer instanceof TokenRefusedError ? answer : accepted(answer),
      );
}

/** Introspects a JWT and returns its claims, replaced or completed by those of the answer. */
async function askedAbout(
  token: string,
  own: Claims,
  policy: TokenPolicy,
  endpoint: IntrospectionOptions,
  { introspector }: Verification,
): Promise<Claims | TokenRefusedError> {
  // An expired token is refused without a call of the endpoint.
  const late = refusalOfTimes(own, policy, nowSeconds());
  if (late !== undefined) return late;
  const claims = { ...own, ...(await introspected(token, endpoint, introspector)) };
  assertAccessToken(claims);
  return claims;
}

/** Checks claims that are known to come from the issuer. Returns a promise only if a check waits. */
function accept(
  token: string,
  names: TokenNames,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
): TokenVerdict | Promise<TokenVerdict> {
  const { claims } = names;
  const { revocations } = verification;
  const refusal = refusalOfClaimsNow(claims, policy, revocations);
  if (refusal !== undefined) return refusal;
  if (revocations !== undefined) {
    revocations.noteExpiry(toNumber(claims.exp) ?? 0);
    const revoked = refusalOfRevocation(revocations, names);
    if (revoked !== undefined) return revoked;
  }
  if (policy.checkClaimsClass !== undefined || needsHolder(claims, policy, holder))
    return acceptAsync(token, names, policy, verification, holder);
  const noted = noteUse(token, names, verification);
  return noted === undefined ? allowed(claims, policy) : noted.then(() => allowed(claims, policy));
}

/**
 * Checks the claims. If the clock of this machine is behind or was set back, a token that a gateway issued seems too
 * new; then the clock that the gateways share decides.
 */
function refusalOfClaimsNow(claims: Claims, policy: TokenPolicy, shared?: RevocationView): Refusal {
  const now = nowSeconds();
  const refusal = refusalOfClaims(claims, policy, now);
  if (refusal?.code !== 'token_not_yet_valid') return refusal;
  const later = Math.floor(shared?.latest ?? now);
  return later <= now ? refusal : refusalOfClaims(claims, policy, later);
}

/** The remaining checks of a token that needs one which waits. */
async function acceptAsync(
  token: string,
  names: TokenNames,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
): Promise<TokenVerdict> {
  const { claims } = names;
  if (needsHolder(claims, policy, holder))
    await assertHolder(token, claims, policy, holder, verification.proofs);
  await noteUse(token, names, verification);
  if (policy.checkClaimsClass !== undefined) await policy.checkClaimsClass(claims);
  return allowed(claims, policy);
}

/** Notes the use of our own tokens. A token that the later checks of login, roles or scopes refuse was used, too. */
const noteUse = (
  token: string,
  { issuer, claims }: TokenNames,
  { uses }: Verification,
): Promise<void> | undefined => (issuer === undefined ? uses?.note(token, claims) : undefined);

/** Checks login, roles and scopes. These come last, so that an invalid token gives 401 and never 403. */
function allowed(claims: Claims, policy: TokenPolicy): TokenVerdict {
  const login = asksForLogin(policy) ? refusalOfLogin(claims, policy, nowSeconds()) : undefined;
  return login ?? refusalOfAccess(claims, policy) ?? (claims as VerifiedClaims);
}

/** Finds the key that made the signature, if a published set has several fitting keys with one kid. */
async function signerAmong(
  jws: CompactJws,
  alg: JwsAlgorithm,
  candidates: readonly JwsKey[],
): Promise<JwsKey> {
  let refusal: Refusal;
  for (const key of candidates) {
    refusal = await refusalOfSignature(jws, alg, key);
    if (refusal === undefined) return key;
  }
  throw refusal ?? new TypeError('there are no keys');
}

function refusalOfSignatureOnce(
  token: string,
  jws: CompactJws,
  alg: JwsAlgorithm,
  key: JwsKey,
  signatures: SignatureCache,
): Refusal | Promise<Refusal> {
  const id = signatures.idOf(token);
  if (signatures.has(id, key)) return undefined;
  const remembered = (refusal: Refusal): Refusal => {
    if (refusal === undefined) signatures.add(id, key);
    return refusal;
  };
  const refusal = refusalOfSignature(jws, alg, key);
  return refusal instanceof Promise ? refusal.then(remembered) : remembered(refusal);
}
