import { isUtf8 } from 'node:buffer';
import { isJsonObject, parseJsonExactly } from '../json/index.js';
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

/** The revocations that are known, as the checks see them. */
export interface RevocationView {
  /**
   * Whether a token is revoked.
   *
   * @throws an error with a `code` when that cannot be known
   */
  isRevoked(token: TokenNames): boolean;
  /** Tells that there is a token which expires at `exp` (seconds since 1970). */
  noteExpiry(exp: number): void;
  /** Seconds since 1970 by the clock that all who share the revocations have. Left out: by this machine's. */
  readonly now?: number;
  /** Seconds since 1970 that none of their tokens is from beyond: later than now where the clock was set back. */
  readonly latest?: number;
}

/** Asks issuers about tokens (RFC 7662). */
export interface Introspector {
  /**
   * What the endpoint says of a token that is active, without `active` itself; `undefined` of one that is not.
   *
   * @throws an error with a `code` while the endpoint cannot be asked
   */
  introspect(token: string, endpoint: IntrospectionOptions): Promise<Claims | undefined>;
}

/*
 * The checks of a token before those of its claims, one function each: `verifyToken` stops at the
 * first that fails, `signet explain` goes on. Both use these functions. A `refusalOf…` gives a refusal back, all others
 * throw one.
 */

/**
 * A token taken apart, in the forms that the policy takes.
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

/** @throws TokenRefusedError `key_not_found`; `algorithm_not_allowed` for a key that is for something else */
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
 * Checks a signature. A promise only where that is done in another thread.
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

/** The normalized type. @throws TokenRefusedError `type_not_allowed` */
export function allowedType({ typ = 'JWT' }: JwsHeader, { types }: TokenPolicy): string {
  const type = normalizeType(typ);
  if (!types.has(type))
    throw new TokenRefusedError(
      'type_not_allowed',
      `typ '${typ}' is not one of: ${[...types].join(', ')}`,
    );
  return type;
}

/** @throws TokenRefusedError `token_malformed` */
export function parseClaims(payload: Buffer): Record<string, unknown> {
  let claims: unknown;
  try {
    claims = isUtf8(payload) ? parseJsonExactly(payload.toString()) : undefined;
  } catch {
    claims = undefined;
  }
  if (!isJsonObject(claims))
    throw new TokenRefusedError('token_malformed', 'the payload is not a JSON object in UTF-8');
  return claims;
}

/**
 * RFC 9068 section 4: a token that claims the profile has to keep it, where the policy asks for it.
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
 * True for a token that can be asked about: it is of the characters and of the length of a bearer token, and
 * no JWT. A JWT that is broken or not signed is none of them, so that it is refused here.
 */
export const isOpaque = (token: string, { maxTokenLength }: TokenPolicy): boolean =>
  token.length <= maxTokenLength && B64TOKEN.test(token) && !isCompactJws(token);

/**
 * What the issuer of a token says of it.
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

/** Members of an answer that may say what kind of token it is about: of RFC 7662, of Ory Hydra, of Keycloak. */
const KINDS = ['token_type', 'token_use', 'typ'] as const;
const NO_ACCESS_TOKEN = /refresh|offline|^id(?:[_-]?token)?$/i;

/**
 * Checks what an answer says of the kind of the token.
 *
 * @throws TokenRefusedError `type_not_allowed` for a refresh or ID token; `claim_invalid` for a kind that is no
 * text; `claim_missing` for a token that is bound to a key, without saying to which
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
  // Accepted as a bearer token it would need no proof.
  if (/^dpop$/i.test(String(answer.token_type)) && !Object.hasOwn(answer, 'cnf'))
    throw new TokenRefusedError(
      'claim_missing',
      "token_type is DPoP, and claim 'cnf' is missing, which names the key (RFC 9449 section 6.2)",
      { claim: 'cnf' },
    );
}
