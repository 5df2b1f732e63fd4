import type { KeyOptions, Validator } from './krakend-config.js';

/** True when both get their keys from the same place. */
export const sameKeys = (a: KeyOptions, b: KeyOptions): boolean =>
  a.path === b.path && (a.path !== undefined || a.url === b.url);

/** Keys that sign as well as verify: they are not to be had from a URL here. */
export const isShared = (alg: string | undefined): boolean => /^HS/i.test(alg ?? '');

/** The file that stands for keys which cannot come from their URL. */
export const fileFor = (url: string): string =>
  `keys/${(URL.parse(url)?.host ?? 'imported').replaceAll(/[^\w.-]/g, '-')}.jwks.json`;

/** Where a validator's keys come from here. */
export function keysOf({ alg, keys }: Validator): { path?: string; url?: string } {
  if (keys.path !== undefined) return { path: keys.path };
  if (keys.url === undefined) return {};
  return isShared(alg) ? { path: fileFor(keys.url) } : { url: keys.url };
}

/**
 * The issuer of tokens whose keys come from a URL, by the habits of known providers; else the URL's origin.
 * A wrong guess refuses tokens, it accepts none.
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
