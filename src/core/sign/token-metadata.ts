import { toNumber } from '../json/index.js';
import { ofSameClass } from './sign-fields.js';

/**
 * Adds `token_type` and `expires_in` where absent (RFC 6749 section 5.1) to an answer with a
 * signed `access_token`; other answers stay as they are.
 *
 * @param accessExp `exp` of the access token; `undefined` when none was signed
 * @param now seconds since 1970
 */
export function withTokenMetadata(
  answer: Record<string, unknown>,
  accessExp: unknown,
  now: number,
): Record<string, unknown> {
  const exp = toNumber(accessExp);
  if (exp === undefined) return answer;
  const completed = ofSameClass(answer, { ...answer });
  if (!Object.hasOwn(answer, 'token_type')) completed.token_type = 'Bearer';
  if (!Object.hasOwn(answer, 'expires_in'))
    completed.expires_in = Math.max(0, Math.floor(exp - now));
  return completed;
}
