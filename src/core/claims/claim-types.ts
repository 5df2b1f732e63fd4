/** A registered claim that has another type than it should have. */
export interface ClaimTypeProblem {
  readonly claim: string;
  /** For messages, e.g. "a string". */
  readonly expected: string;
}

/**
 * Claims that are text where they are there (RFC 7519 section 4.1; `sid`: OpenID Connect Back-Channel Logout
 * section 2.4). Of another type they would name nobody: no revocation would reach the token. `iss` is compared
 * with what is accepted instead.
 */
const TEXTS = ['sub', 'jti', 'sid'] as const;

/**
 * Looks for a registered claim of the wrong type. Times are looked at where they are compared.
 *
 * @returns the first one; `undefined` where all are right, or absent
 */
export function claimTypeProblem(
  claims: Readonly<Record<string, unknown>>,
): ClaimTypeProblem | undefined {
  for (const claim of TEXTS)
    if (!isString(claims[claim]) && Object.hasOwn(claims, claim))
      return { claim, expected: 'a string' };
  return Object.hasOwn(claims, 'aud') && namesIn(claims.aud) === undefined
    ? { claim: 'aud', expected: AUDIENCE_TYPE }
    : undefined;
}

/** The type of `aud`, for messages: what {@link namesIn} takes. */
export const AUDIENCE_TYPE = 'a string or a list of strings';

/**
 * The names in a claim like `aud` (RFC 7519 section 4.1.3): a string is one name, whatever is in it.
 *
 * @returns `undefined` for a value of another type
 */
export function namesIn(value: unknown): readonly string[] | undefined {
  if (isString(value)) return [value];
  return Array.isArray(value) && value.every(isString) ? value : undefined;
}

const isString = (value: unknown): value is string => typeof value === 'string';
