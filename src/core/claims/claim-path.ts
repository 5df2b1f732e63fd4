import { ABSENT, memberAt } from '../json/index.js';

/**
 * Reads a claim, by own properties only.
 *
 * @param path with `nested`, each dot goes one level down, and `\.` is a dot in a name, e.g.
 * `resource_access.my\.client.roles`. A URL is one name, unless it contains such an escape.
 * @param nested false: `path` is one name, whatever it contains
 * @returns `undefined` if there is no such claim. A path has one meaning only: with `nested`, a claim with the name
 * "a.b" is never read by the path `a.b`.
 */
export function readClaim(
  claims: Readonly<Record<string, unknown>>,
  path: string,
  nested: boolean,
): unknown {
  if (!nested || !path.includes('.') || isUrl(path))
    return Object.hasOwn(claims, path) ? claims[path] : undefined;
  const value = memberAt(claims, namesOf(path));
  return value === ABSENT ? undefined : value;
}

const isUrl = (path: string): boolean => /^https?:/i.test(path) && !path.includes('\\.');

const namesOf = (path: string): readonly string[] =>
  path.includes('\\.')
    ? path.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'))
    : path.split('.');
