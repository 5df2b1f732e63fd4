import { ABSENT, memberAt } from '../json/index.js';

/**
 * The value of a claim, by own properties only. The whole path is tried as one name first, so that
 * `https://example.com/roles` needs no escaping; after that, with `nested`, each dot goes one level
 * down. URL-like names are never split.
 */
export function readClaim(
  claims: Readonly<Record<string, unknown>>,
  path: string,
  nested: boolean,
): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  if (!nested || !path.includes('.') || /^https?:/i.test(path)) return undefined;
  const value = memberAt(claims, path.split('.'));
  return value === ABSENT ? undefined : value;
}
