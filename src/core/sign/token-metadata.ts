import { isKeyBound } from '../claims/index.js';
import { toNumber } from '../json/index.js';
import { ofSameClass, type ClaimSet } from './sign-fields.js';

/**
 * Adds `token_type` and `expires_in` if absent (RFC 6749 section 5.1) to an answer with a signed `access_token`. Other
 * answers are not changed. An `expires_in`, number or text, that ends after the token's `exp` is reduced to it. The
 * type of a token that is bound to a key is always `DPoP` (RFC 9449 section 5).
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
  // With a larger value, a client would learn of the expiry only from a refused request.
  if (!Object.hasOwn(answer, 'expires_in') || secondsOf(answer.expires_in) > seconds)
    completed.expires_in = seconds;
  return completed;
}

/** Returns NaN for a value that is not a number. */
const secondsOf = (value: unknown): number =>
  typeof value === 'string' ? Number(value) : (toNumber(value) ?? NaN);
