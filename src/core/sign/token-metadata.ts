import { isKeyBound } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import { ofSameClass, type ClaimSet } from './sign-fields.js';

/**
 * Adds `token_type` and `expires_in` where absent (RFC 6749 section 5.1) to an answer with a
 * signed `access_token`; other answers stay as they are. An `expires_in` beyond the token's `exp`, a number or a text,
 * is cut to it. The type of a token that is bound to a key is `DPoP`, whatever the answer says (RFC 9449 section 5).
 *
 * @param access claims of the access token; `undefined` when none was signed
 * @param now seconds since 1970
 */
export function withTokenMetadata(
  answer: Record<string, unknown>,
  access: ClaimSet | undefined,
  now: number,
): Record<string, unknown> {
  const exp = toNumber(access?.exp);
  if (access === undefined || exp === undefined) return answer;
  const completed = ofSameClass(answer, { ...answer });
  if (isKeyBound(access)) completed.token_type = 'DPoP';
  else if (!Object.hasOwn(answer, 'token_type')) completed.token_type = 'Bearer';
  const seconds = Math.max(0, Math.floor(exp - now));
  // A client that is promised more finds out by a refusal.
  if (!Object.hasOwn(answer, 'expires_in') || secondsOf(answer.expires_in) > seconds)
    completed.expires_in = seconds;
  return completed;
}

/** NaN for what is no number. */
const secondsOf = (value: unknown): number =>
  typeof value === 'string' ? Number(value) : (toNumber(value) ?? NaN);
