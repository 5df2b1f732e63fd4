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
  checkAccess,
  checkClaims,
  checkLogin,
  checkTimes,
  issuerMismatch,
} from './claim-checks.js';
import type { SignatureCache } from './signature-cache.js';
import {
  allowedAlgorithm,
  allowedType,
  assertAccessToken,
  assertFits,
  assertNotRevoked,
  assertProfile,
  assertSigned,
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

/** Whoever wants to know which of the tokens that were signed here are used. */
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
  const { introspection } = policy;
  if (introspection !== undefined && isOpaque(token, policy))
    return verifyOpaque(token, policy, introspection, verification, holder);
  const jws = parseToken(token, policy);
  if (policy.perIssuer === undefined && policy.unlistedIssuer === undefined)
    return verifyBy(token, jws, policy, verification, holder);
  const claims = parseClaims(jws.payload);
  const chosen = issuerPolicy(claims, policy);
  // Waiting for what is there costs a turn.
  const ofIssuer = chosen instanceof Promise ? await chosen : chosen;
  return verifyBy(token, jws, ofIssuer, verification, holder, claims);
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
): Promise<VerifiedClaims> {
  const answer = await introspected(token, endpoint, verification.introspector);
  const { claims, policy: chosen } = answerPolicy(answer, policy);
  assertAccessToken(claims);
  const names = { issuer: foreignIssuerOf(chosen, claims.iss), claims, signingInput: token };
  return accept(token, names, chosen, verification, holder);
}

async function verifyBy(
  token: string,
  jws: CompactJws,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
  parsed?: Record<string, unknown>,
): Promise<VerifiedClaims> {
  const { keys, signatures } = verification;
  const { header, signingInput } = jws;
  const { keySource, jwtIntrospection } = policy;
  const alg = allowedAlgorithm(header, policy);
  let candidates = keys.verificationKeys(header, keySource);
  if (candidates.length === 0) candidates = await keys.awaitVerificationKeys(header, keySource);
  const [key, ...others] = candidates;
  assertFits(key, header, alg);
  // An HMAC (3 µs) costs less than the cache look-up.
  const verdict =
    others.length > 0
      ? assertSignedByOne(jws, alg, candidates)
      : key.kty === 'oct' || signatures === undefined
        ? assertSigned(jws, alg, key)
        : assertSignedOnce(token, jws, alg, key, signatures);
  const signer = (verdict === undefined ? undefined : await verdict) ?? key;

  const type = allowedType(header, policy);
  let claims: Claims = parsed ?? parseClaims(jws.payload);
  if (jwtIntrospection !== undefined) {
    // Nobody need be asked about a token that has expired.
    checkTimes(claims, policy, nowSeconds());
    const answer = await introspected(token, jwtIntrospection, verification.introspector);
    claims = { ...claims, ...answer };
    assertAccessToken(claims);
  }
  assertProfile(type, claims, policy);
  const issuer = foreignIssuerOf(policy, claims.iss);
  const names = { issuer, kid: signer.kid, claims, signingInput };
  return accept(token, names, policy, verification, holder);
}

/** The checks of claims that are known to be the issuer's. A promise only where one of them waits. */
function accept(
  token: string,
  names: TokenNames,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
): VerifiedClaims | Promise<VerifiedClaims> {
  const { claims } = names;
  const { revocations } = verification;
  checkClaimsNow(claims, policy, revocations);
  if (revocations !== undefined) {
    revocations.noteExpiry(toNumber(claims.exp) ?? 0);
    assertNotRevoked(revocations, names);
  }
  if (policy.checkClaimsClass !== undefined || needsHolder(claims, policy, holder))
    return acceptSlowly(token, names, policy, verification, holder);
  const noted = noteUse(token, names, verification);
  return noted === undefined ? allowed(claims, policy) : noted.then(() => allowed(claims, policy));
}

/** A token that a gateway issued is too new where the clock is behind, or was set back since: what they share decides. */
function checkClaimsNow(claims: Claims, policy: TokenPolicy, shared?: RevocationView): void {
  const now = nowSeconds();
  try {
    checkClaims(claims, policy, now);
  } catch (error) {
    const later = Math.floor(shared?.latest ?? now);
    const isTooNew = error instanceof TokenRefusedError && error.code === 'token_not_yet_valid';
    if (!isTooNew || later <= now) throw error;
    checkClaims(claims, policy, later);
  }
}

/** The checks that wait. */
async function acceptSlowly(
  token: string,
  names: TokenNames,
  policy: TokenPolicy,
  verification: Verification,
  holder: TokenHolder | undefined,
): Promise<VerifiedClaims> {
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
function allowed(claims: Claims, policy: TokenPolicy): VerifiedClaims {
  if (asksForLogin(policy)) checkLogin(claims, policy, nowSeconds());
  checkAccess(claims, policy);
  return claims as VerifiedClaims;
}

/** For a set of others that has a kid twice, for keys that both fit. @returns the one that signed */
async function assertSignedByOne(
  jws: CompactJws,
  alg: JwsAlgorithm,
  candidates: readonly JwsKey[],
): Promise<JwsKey> {
  let refusal: unknown;
  for (const key of candidates)
    try {
      await assertSigned(jws, alg, key);
      return key;
    } catch (error) {
      refusal = error;
    }
  throw refusal;
}

async function assertSignedOnce(
  token: string,
  jws: CompactJws,
  alg: JwsAlgorithm,
  key: JwsKey,
  signatures: SignatureCache,
): Promise<void> {
  const id = signatures.idOf(token);
  if (signatures.has(id, key)) return;
  await assertSigned(jws, alg, key);
  signatures.add(id, key);
}
