import { isJsonObject } from './json.js';

/** What {@link memberAt} gives where there is no such member; an `undefined` member is one. */
export const ABSENT = Symbol('absent');

/**
 * The member of an object at a path, by own properties only (`__proto__` and `constructor` are names
 * like any other). Lists are not entered.
 */
export function memberAt(value: unknown, path: readonly string[]): unknown {
  let member = value;
  for (const name of path) {
    if (!isJsonObject(member) || !Object.hasOwn(member, name)) return ABSENT;
    member = member[name];
  }
  return member;
}
