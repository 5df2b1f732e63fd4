/**
 * The value of a claim, by own properties only (`__proto__` and `constructor` are names like any other).
 * The whole path is tried as one name first, so that `https://example.com/roles` needs no escaping;
 * after that, with `nested`, each dot goes one level down. URL-like names are never split.
 */
export function readClaim(
  claims: Readonly<Record<string, unknown>>,
  path: string,
  nested: boolean,
): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  if (!nested || !path.includes('.') || /^https?:/i.test(path)) return undefined;
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
