/** A key or a key set that must not be used. The message names the kid and the rule, never the key. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** A member of a JWK that is no secret, as a message may quote it. */
export const quote = (value: unknown): string =>
  typeof value === 'string' ? `'${value.slice(0, 40)}'` : `(a ${typeof value})`;
