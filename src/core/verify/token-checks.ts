import { isUtf8 } from 'node:buffer';
import { hasDuplicateMembers, isJsonObject, withExactNumbers } from '../json/index.js';
import { TokenRefusedError } from '../errors/index.js';
import { ACCESS_TOKEN_TYPE, missingProfileClaims, normalizeType } from '../claims/index.js';
import {
  compactForm,
  isCompactJws,
  isJwsAlgorithm,
  keyMisfit,
  parseCompact,
  verifySignature,
  type CompactJws,
  type JwsAlgorithm,
  type JwsHeader,
  type JwsKey,
} from '../jws/index.js';
import type { TokenNames } from '../revocation/index.js';
import type { Refusal } from './claim-checks.js';
import type { IntrospectionOptions, TokenPolicy } from './policy-options.js';

type Claims = Readonly<Record<string, unknown>>;

/** The known revocations, as the checks need them. */
export interface RevocationView {
  /**
   * True if a token is revoked.
   *
   * @throws an error with a `code` while the revocations are not known
   */
  isRevoked(token: TokenNames): boolean;
  /** Notes that a token exists which expires at `exp` (seconds since 1970). */
  noteExpiry(exp: number): void;
  /** Seconds since 1970 by the clock of all processes that share the revocations. Default: this machine's. */
  readonly now?: number;
  /** Latest possible `iat` of their tokens, in seconds since 1970: later than `now` if a clock was set back. */
  readonly latest?: number;
}

/** Calls introspection endpoints (RFC 7662). */
export interface Introspector {
  /**
   * Returns the endpoint's answer for an active token, without `active` itself; `undefined` for an inactive token.
   *
   * @throws an error with a `code` while the endpoint does not answer
   */
  introspect(token: string, endpoint: IntrospectionOptions): Promise<Claims | undefined>;
}

/*
 * The checks of a token before those of its claims, one function each. `verifyToken` stops at the first that fails,
 * `signet explain` goes on; both use these functions. A `refusalOf…` returns a refusal, all others throw it.
 */

/**
 * Parses a token in one of the forms that the policy accepts.
 *
 * @throws TokenRefusedError `token_malformed`
 */
export const parseToken = (token: string, { full, maxTokenLength }: TokenPolicy): CompactJws =>
  parseCompact(full ? compactForm(token) : token, maxTokenLength);

/** @throws TokenRefusedError `algorithm_not_allowed` */
export function allowedAlgorithm({ alg }: JwsHeader, { algorithms }: TokenPolicy): JwsAlgorithm {
  if (!isJwsAlgorithm(alg) || !algorithms.has(alg))
    throw new TokenRefusedError(
      'algorithm_not_allowed',
      `the algorithm of the header is not one of: ${[...algorithms].join(', ')}`,
    );
  return alg;
}

/** @throws TokenRefusedError `key_not_found`; `algorithm_not_allowed` for a key that is not for this algorithm */
export function assertFits(
  key: JwsKey | undefined,
  header: JwsHeader,
  alg: JwsAlgorithm,
): asserts key is JwsKey {
  if (key === undefined)
    throw new TokenRefusedError(
      'key_not_found',
      header.kid === undefined ? 'the header has no kid' : 'no key with the kid of the header',
    );
  const misfit = keyMisfit(key, alg);
  if (misfit !== undefined) throw new TokenRefusedError('algorithm_not_allowed', misfit);
}

/**
 * Checks a signature. Returns a promise only if another thread verifies it.
 *
 * @returns a refusal `signature_invalid`
 */
export function refusalOfSignature(
  { signingInput, signature }: CompactJws,
  alg: JwsAlgorithm,
  key: JwsKey,
): Refusal | Promise<Refusal> {
  const verdict = verifySignature(alg, key, signingInput, signature);
  return typeof verdict === 'boolean'
    ? refusalUnless(verdict, key)
    : verdict.then((valid) => refusalUnless(valid, key));
}

const refusalUnless = (valid: boolean, { kid }: JwsKey): Refusal =>
  valid
    ? undefined
    : new TokenRefusedError('signature_invalid', `the signature does not fit kid '${kid}'`);

/** Returns the normalized type. @throws TokenRefusedError `type_not_allowed` */
export function allowedType({ typ = 'JWT' }: JwsHeader, { types }: TokenPolicy): string {
  const type = normalizeType(typ);
  if (!types.has(type))
    throw new TokenRefusedError(
      'type_not_allowed',
      `typ '${typ}' is not one of: ${[...types].join(', ')}`,
    );
  return type;
}

/**
 * Parses the claims of a payload. A duplicate name is refused (RFC 7519 section 4): another reader of the token could
 * use the other value.
 *
 * @throws TokenRefusedError `token_malformed`
 */
export function parseClaims(payload: Buffer): Record<string, unknown> {
  const text = isUtf8(payload) ? payload.toString() : '';
  let claims: unknown;
  let unambiguous = false;
  try {
    const value: unknown = JSON.parse(text);
    // A text that JSON.stringify writes in the same way has no duplicate members and no inexact numbers. This is
    // faster than to look for them, and most issuers write so.
    unambiguous = JSON.stringify(value) === text;
    claims = unambiguous ? value : withExactNumbers(text, value);
  } catch {
    claims = undefined;
  }
  if (!isJsonObject(claims))
    throw new TokenRefusedError('token_malformed', 'the payload is not a JSON object in UTF-8');
  if (!unambiguous && hasDuplicateMembers(text, claims))
    throw new TokenRefusedError('token_malformed', 'the payload names a member twice');
  return claims;
}

/**
 * Checks that an `at+jwt` token has all claims of its profile (RFC 9068 section 4), if the policy requires it.
 *
 * @throws TokenRefusedError `claim_missing`
 */
export function assertProfile(
  type: string,
  claims: Readonly<Record<string, unknown>>,
  { profiled }: TokenPolicy,
): void {
  const missing = profiled && type === ACCESS_TOKEN_TYPE ? missingProfileClaims(claims) : [];
  if (missing.length > 0)
    throw new TokenRefusedError(
      'claim_missing',
      `a token of typ ${ACCESS_TOKEN_TYPE} needs: ${missing.join(', ')}`,
    );
}

/**
 * @returns a refusal `token_revoked`
 * @throws what {@link RevocationView.isRevoked} throws
 */
export const refusalOfRevocation = (revocations: RevocationView, token: TokenNames): Refusal =>
  revocations.isRevoked(token)
    ? new TokenRefusedError('token_revoked', 'the token, its session, user or key is revoked')
    : undefined;

/** RFC 6750 section 2.1. */
const B64TOKEN = /^[\w.~+/-]+=*$/;

/**
 * True for a token to introspect: it has the characters and the length of a bearer token and is no JWT. A broken or
 * unsigned JWT is not opaque, so that it is refused without a call of the endpoint.
 */
export const isOpaque = (token: string, { maxTokenLength }: TokenPolicy): boolean =>
  token.length <= maxTokenLength && B64TOKEN.test(token) && !isCompactJws(token);

/**
 * Returns the answer of the introspection endpoint about a token.
 *
 * @throws TokenRefusedError `token_revoked` for a token that is not active
 * @throws what {@link Introspector.introspect} throws
 */
export async function introspected(
  token: string,
  endpoint: IntrospectionOptions,
  introspector: Introspector | undefined,
): Promise<Claims> {
  if (introspector === undefined)
    throw new TypeError('the policy asks about tokens, and there is no Introspector to ask');
  const answer = await introspector.introspect(token, endpoint);
  if (answer === undefined)
    throw new TokenRefusedError(
      'token_revoked',
      'the token is not active where it was asked about: it is unknown there, expired or revoked',
      { claim: 'active' },
    );
  return answer;
}

/** Members of an answer that may contain the kind of the token: of RFC 7662, of Ory Hydra, of Keycloak. */
const KINDS = ['token_type', 'token_use', 'typ'] as const;
const NO_ACCESS_TOKEN = /refresh|offline|^id(?:[_-]?token)?$/i;

/**
 * Checks the kind of the token that an answer states.
 *
 * @throws TokenRefusedError `type_not_allowed` for a refresh or ID token; `claim_invalid` for a kind that is no
 * string; `claim_missing` for a token of type `DPoP` without the claim `cnf`
 */
export function assertAccessToken(answer: Claims): void {
  for (const claim of KINDS) {
    const kind = Object.hasOwn(answer, claim) ? answer[claim] : '';
    if (typeof kind !== 'string')
      throw new TokenRefusedError('claim_invalid', `claim '${claim}' is not a string`, { claim });
    if (NO_ACCESS_TOKEN.test(kind))
      throw new TokenRefusedError(
        'type_not_allowed',
        `the token is no access token: ${claim} ${JSON.stringify(kind.slice(0, 60))}`,
        { claim, actual: kind },
      );
  }
  // Without `cnf`, the token would be accepted as a bearer token, without a proof.
  if (/^dpop$/i.test(String(answer.token_type)) && !Object.hasOwn(answer, 'cnf'))
    throw new TokenRefusedError(
      'claim_missing',
      "token_type is DPoP, and claim 'cnf' is missing, which names the key (RFC 9449 section 6.2)",
      { claim: 'cnf' },
    );
}
