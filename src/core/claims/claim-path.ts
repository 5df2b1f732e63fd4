import { ABSENT, memberAt } from '../json/index.js';

/**
 * The value of a claim, by own properties only.
 *
 * @param path with `nested` each dot goes one level down, and `\.` is a dot of a name, e.g.
 * `resource_access.my\.client.roles`. A name that is a URL is one name, unless it has such an escape.
 * @param nested false: `path` is one name, whatever is in it
 * @returns `undefined` where there is no such claim. There is one reading of a path: where `a.b` goes down,
 * a claim with the name "a.b" does not count.
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
