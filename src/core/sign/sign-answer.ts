import { ACCESS_TOKEN_TYPE, missingProfileClaims } from '../claims/index.js';
import { newTokenIds } from '../revocation/index.js';
import { signFields, type ClaimSet } from './sign-fields.js';
import { SigningError } from './signing.error.js';
import type { SigningPolicy } from './signing-policy.js';
import type { TokenFormat } from './sign-token.js';
import { stampClaims } from './stamp-claims.js';
import { withTokenMetadata } from './token-metadata.js';

/** Hooks before and after the signing of one answer. */
export interface SigningSteps {
  /**
   * Completes all claim sets of the answer before they are stamped and signed.
   *
   * @param claimSets by field
   * @returns the claim set of one field
   */
  complete?(claimSets: ReadonlyMap<string, ClaimSet>): (field: string) => ClaimSet;
  /**
   * Called with the signed answer before it is sent.
   *
   * @returns the answer to send instead, usually the same. An error that it throws is sent as an error response.
   */
  commit?(answer: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/**
 * Signs the fields of an answer: completes, stamps and signs their claims, and adds `token_type` and
 * `expires_in` (RFC 6749 section 5.1).
 *
 * @param sign signs one token
 * @param now seconds since 1970
 * @throws SigningError when the answer cannot be signed
 */
export async function signAnswer(
  body: unknown,
  policy: SigningPolicy,
  sign: (claims: ClaimSet, format: TokenFormat) => string | Promise<string>,
  now: number,
  steps: SigningSteps = {},
): Promise<Record<string, unknown>> {
  let access: ClaimSet | undefined;
  let newId: (() => string) | undefined;
  const signed = await signFields(
    body,
    policy.fields,
    policy.requireAll,
    (claims, field) => {
      const { format, stamp, profiled } = policy.field(field);
      const stamped = stampClaims(claims, field, stamp, now, newId);
      if (profiled) assertProfile(stamped, field);
      if (field === 'access_token') access = stamped;
      return sign(stamped, format);
    },
    (claimSets) => {
      assertOneSession(claimSets);
      // If all tokens get their `jti` here, its prefix shows that they belong to one session.
      if (claimSets.values().every((claims) => !Object.hasOwn(claims, 'jti')))
        newId = newTokenIds();
      return steps.complete?.(claimSets);
    },
  );
  const answer = withTokenMetadata(signed, access, now);
  return steps.commit === undefined ? answer : steps.commit(answer);
}

/** All tokens of an answer need the same `sid`, which ends their session. {@link stampClaims} checks its type. */
function assertOneSession(claimSets: ReadonlyMap<string, ClaimSet>): void {
  let first: { field: string; sid: string } | undefined;
  for (const [field, { sid }] of claimSets) {
    if (typeof sid !== 'string') continue;
    if (sid === '') throw new SigningError('claims_invalid', `${field}.sid is empty`);
    first ??= { field, sid };
    if (first.sid !== sid)
      throw new SigningError(
        'claims_invalid',
        `${field}.sid is not that of ${first.field}: the tokens of one answer have one session`,
      );
  }
}

/** Refuses claims without those of RFC 9068 section 2.2. The backend has to send what cannot be stamped. */
function assertProfile(claims: ClaimSet, field: string): void {
  const missing = missingProfileClaims(claims);
  if (missing.length > 0)
    throw new SigningError(
      'sign_target_invalid',
      `field '${field}' is signed as ${ACCESS_TOKEN_TYPE} and lacks: ${missing.join(', ')}`,
    );
}
