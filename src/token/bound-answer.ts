import { isJsonObject } from '../core/json/index.js';
import { SigningError, type ClaimSet } from '../core/sign/index.js';
import { SignedAnswer, UnsignedAnswer } from '../signing/index.js';
import type { TokenAnswer } from './token-answer.js';

/** Members of `cnf` that are accepted: ours, and a certificate beside it (RFC 8705 section 3.1). */
const UNDERSTOOD: ReadonlySet<string> = new Set(['jkt', 'x5t#S256']);

/**
 * Binds all tokens of an answer to a key (RFC 9449 section 6).
 *
 * @param key SHA-256 thumbprint; `undefined`: the answer is not changed
 * @param answer a {@link SignedAnswer}, which repeats an earlier answer, is not changed
 */
export function boundTo(
  key: string | undefined,
  answer: TokenAnswer | UnsignedAnswer | SignedAnswer,
): TokenAnswer | UnsignedAnswer | SignedAnswer {
  if (key === undefined || answer instanceof SignedAnswer) return answer;
  const { body, steps, fields } =
    answer instanceof UnsignedAnswer ? answer : new UnsignedAnswer(answer, {});
  return new UnsignedAnswer(
    body,
    {
      ...steps,
      complete: (claimSets) => {
        const completed = steps.complete?.(claimSets);
        return (field) =>
          withKey(completed?.(field) ?? (claimSets.get(field) as ClaimSet), field, key);
      },
    },
    fields,
  );
}

/** @throws SigningError `claims_invalid` when the backend binds the token to something else */
function withKey(claims: ClaimSet, field: string, jkt: string): ClaimSet {
  const cnf = Object.hasOwn(claims, 'cnf') ? claims.cnf : {};
  if (
    !isJsonObject(cnf) ||
    !Object.keys(cnf).every((name) => UNDERSTOOD.has(name)) ||
    (Object.hasOwn(cnf, 'jkt') && cnf.jkt !== jkt)
  )
    throw new SigningError(
      'claims_invalid',
      `${field}.cnf is not that of the DPoP proof: the backend has to leave it out`,
    );
  return { ...claims, cnf: { ...cnf, jkt } };
}
