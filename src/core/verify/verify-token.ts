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

/** Where the keys that verify tokens come from. */
export interface VerificationKeys {
  /** The keys that a header names, as far as they are known. Never waits. */
  verificationKeys(names: KeyNames, source?: KeySource): readonly JwsKey[];
  /** Looks for keys that are not known where keys come from, for a bounded time. */
  awaitVerificationKeys(names: KeyNames, source?: KeySource): Promise<readonly JwsKey[]>;
}

/** An observer of the use of tokens that were signed here. */
export interface TokenUses {
  /** @returns what has to be waited for before the token counts; `undefined` for nothing */
  note(token: string, claims: Readonly<Record<string, unknown>>): Promise<void> | undefined;
}

/** What {@link verifyToken} works with. */
export interface Verification {
  readonly keys: VerificationKeys;
  /** Left out: nothing can be revoked. */
  readonly revocations?: RevocationView;
  /** Left out: every signature is computed. */
  readonly signatures?: SignatureCache;
  /** Left out: tokens that are bound to a key are refused. */
  readonly proofs?: ProofMemory;
  /** Left out: nobody wants to know. */
  readonly uses?: TokenUses;
  /** For policies that ask about tokens. */
  readonly introspector?: Introspector;
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Verifies a token (RFC 7519 section 7.2, RFC 8725): format, algorithm, key, signature, type, claims,
 * revocation, holder, login, roles and scopes, in this order. Where the policy says so, a token that is no JWS
 * is asked about in place of the first five (RFC 7662), and a JWT after them.
 *
 * @param token JWS, or a token to ask about
 * @param holder who presents it. Left out: nobody, so that a token is refused that is bound to its holder
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

/** What came of a token: its claims, or why it is refused. */
export type TokenVerdict = VerifiedClaims | TokenRefusedError;

/**
 * The same as {@link verifyToken}, with a refusal as a value. A promise only where something has to be waited for:
 * neither for HMAC nor for a signature that is remembered.
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
    const verdict = begin(token, policy, verification, holder);
    return verdict instanceof Promise ? verdict.catch(refusalOrThrow) : verdict;
  } catch (error) {
    return refusalOrThrow(error);
  }
}

function refusalOrThrow(error: unknown): TokenRefusedError {
  if (error instanceof TokenRefusedError) return error;
  throw error;
}

/** Refusals that no flood consists of are thrown. */
function begin(
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
 * The policy for tokens of the issuer that a token names; its signature then has to be by a key of that
 * very issuer.
 *
 * @returns a promise only for an issuer that is not listed
 * @throws TokenRefusedError `issuer_mismatch` for an issuer that is not among them
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
 * What an endpoint says of a token, and the policy for it: that of the issuer that it names. An issuer that need
 * not be named because there is one only is filled in. An endpoint speaks for listed issuers: not for tokens that
 * are signed here, nor for issuers that are found at run time, each of which has a provider of its own.
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
      : // With the configured keys nothing says whose they are.
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

/** The checks of a token whose signature is by `signer`. A promise only where one of them waits. */
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

/** The claims of a JWT with what its issuer says of it. */
async function askedAbout(
  token: string,
  own: Claims,
  policy: TokenPolicy,
  endpoint: IntrospectionOptions,
  { introspector }: Verification,
): Promise<Claims | TokenRefusedError> {
  // Nobody need be asked about a token that has expired.
  const late = refusalOfTimes(own, policy, nowSeconds());
  if (late !== undefined) return late;
  const claims = { ...own, ...(await introspected(token, endpoint, introspector)) };
  assertAccessToken(claims);
  return claims;
}

/** The checks of claims that are known to be the issuer's. A promise only where one of them waits. */
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
    return acceptSlowly(token, names, policy, verification, holder);
  const noted = noteUse(token, names, verification);
  return noted === undefined ? allowed(claims, policy) : noted.then(() => allowed(claims, policy));
}

/**
 * A token that a gateway issued is too new where the clock is behind, or was set back since: what they share decides.
 */
function refusalOfClaimsNow(claims: Claims, policy: TokenPolicy, shared?: RevocationView): Refusal {
  const now = nowSeconds();
  const refusal = refusalOfClaims(claims, policy, now);
  if (refusal?.code !== 'token_not_yet_valid') return refusal;
  const later = Math.floor(shared?.latest ?? now);
  return later <= now ? refusal : refusalOfClaims(claims, policy, later);
}

/** The checks that wait. */
async function acceptSlowly(
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

/** Own tokens only; a refusal for want of a login, a role or a scope comes later, and is a use, too. */
const noteUse = (
  token: string,
  { issuer, claims }: TokenNames,
  { uses }: Verification,
): Promise<void> | undefined => (issuer === undefined ? uses?.note(token, claims) : undefined);

/** Last, so that a token that is not valid is a 401 and never a 403. */
function allowed(claims: Claims, policy: TokenPolicy): TokenVerdict {
  const login = asksForLogin(policy) ? refusalOfLogin(claims, policy, nowSeconds()) : undefined;
  return login ?? refusalOfAccess(claims, policy) ?? (claims as VerifiedClaims);
}

/** For a set of others that has a kid twice, for keys that both fit. @returns the one that signed */
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
