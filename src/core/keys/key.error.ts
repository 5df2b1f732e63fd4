/** Thrown for a key or a key set that must not be used. The message names the kid and the rule, never the key. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** Formats a member of a JWK for a message, in at most 40 characters. Not for secret members. */
export const quote = (value: unknown): string =>
  typeof value === 'string' ? `'${value.slice(0, 40)}'` : `(a ${typeof value})`;
