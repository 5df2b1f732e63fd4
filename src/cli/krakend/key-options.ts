import type { KeyOptions, Validator } from './krakend-config.js';

/** True when both get their keys from the same place. */
export const sameKeys = (a: KeyOptions, b: KeyOptions): boolean =>
  a.path === b.path && (a.path !== undefined || a.url === b.url);

/** True for an algorithm whose keys sign as well as verify. Signet does not fetch such keys from a URL. */
export const isShared = (alg: string | undefined): boolean => /^HS/i.test(alg ?? '');

/** Returns the file for keys that cannot be fetched from their URL. */
export const fileFor = (url: string): string =>
  `keys/${(URL.parse(url)?.host ?? 'imported').replaceAll(/[^\w.-]/g, '-')}.jwks.json`;

/** Returns where Signet gets a validator's keys from. */
export function keysOf({ alg, keys }: Validator): { path?: string; url?: string } {
  if (keys.path !== undefined) return { path: keys.path };
  if (keys.url === undefined) return {};
  return isShared(alg) ? { path: fileFor(keys.url) } : { url: keys.url };
}

/**
 * Guesses the issuer of tokens from the URL of its keys, by the conventions of known providers; else it is the origin
 * of the URL. A wrong guess refuses tokens, but accepts none.
 */
export function guessIssuer(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  const { origin, hostname, pathname } = parsed;
  if (hostname === 'www.googleapis.com' && pathname.startsWith('/oauth2/'))
    return 'https://accounts.google.com';
  if (hostname === 'login.microsoftonline.com')
    return url.replace(/\/discovery\/v2\.0\/keys$/, '/v2.0');
  if (hostname.endsWith('.auth0.com')) return `${origin}/`;
  const path = pathname.replace(
    /\/(?:\.well-known\/(?:jwks(?:\.json)?|openid-configuration\/jwks)|protocol\/openid-connect\/certs|oauth2?\/(?:v\d\/)?(?:jwks|certs|keys)|v1\/keys|jwks(?:\.json)?|certs|keys)$/,
    '',
  );
  return path === pathname ? origin : `${origin}${path}`.replace(/\/$/, '');
}
