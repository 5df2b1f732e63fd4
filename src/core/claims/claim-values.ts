import { isJsonObject, toNumber } from '../json/index.js';

/**
 * Returns a scalar claim as text: a string as it is, a number with all its digits, a boolean as `true` or `false`.
 * `undefined` for lists, objects and null.
 */
export function claimText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  // JSON.stringify keeps all the digits of a raw number.
  return typeof value === 'boolean' || toNumber(value) !== undefined
    ? JSON.stringify(value)
    : undefined;
}

/** True if the claims of a token bind it to a key of its client (RFC 9449 section 6.1). */
export const isKeyBound = ({ cnf }: Readonly<Record<string, unknown>>): boolean =>
  isJsonObject(cnf) && cnf.jkt !== undefined;

/**
 * Returns the roles in a claim: the strings of a list, the words of a text (separated by blanks or commas), or the
 * names of an object's members, as Zitadel writes them: `{ "admin": { "<org id>": "<domain>" } }`, or a list of such
 * objects. A member counts if its value is an object; outside of lists also if it is `true`.
 */
export function rolesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter(Boolean);
  if (Array.isArray(value))
    return value.every(isString)
      ? value
      : value.flatMap((item: unknown) => (isString(item) ? [item] : membersOf(item, isJsonObject)));
  return membersOf(value, (member) => member === true || isJsonObject(member));
}

const membersOf = (value: unknown, counts: (member: unknown) => boolean): string[] =>
  isJsonObject(value) ? Object.keys(value).filter((name) => counts(value[name])) : [];

/** Returns the scopes in a claim: a text separated by blanks (RFC 6749 section 3.3), or a list of strings. */
export const scopesOf = (value: unknown): readonly string[] =>
  typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value.filter(isString) : [];

const isString = (value: unknown): value is string => typeof value === 'string';
