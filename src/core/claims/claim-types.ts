/** A registered claim of the wrong type. */
export interface ClaimTypeProblem {
  readonly claim: string;
  /** The right type, for messages, e.g. "a string". */
  readonly expected: string;
}

/**
 * Claims that have to be strings if they are present (RFC 7519 section 4.1; `sid`: OpenID Connect Back-Channel Logout
 * section 2.4). A value of another type could not be revoked by name. `iss` is missing here, since it is compared with
 * the accepted issuers.
 */
const TEXTS = ['sub', 'jti', 'sid'] as const;

/**
 * Looks for a registered claim of the wrong type. Times are checked by the code that compares them.
 *
 * @returns the first wrong claim; `undefined` if all claims are right or absent
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

/** The type of `aud`, for messages: the values that {@link namesIn} accepts. */
export const AUDIENCE_TYPE = 'a string or a list of strings';

/**
 * Returns the names in a claim like `aud` (RFC 7519 section 4.1.3). A string is one name, whatever it contains.
 *
 * @returns `undefined` for a value of another type
 */
export function namesIn(value: unknown): readonly string[] | undefined {
  if (isString(value)) return [value];
  return Array.isArray(value) && value.every(isString) ? value : undefined;
}

const isString = (value: unknown): value is string => typeof value === 'string';
