import { every, matches, parseList, variableField } from './variable.js';

/* Decorators for the members of `Environment` that are URLs, origins, proxies and addresses. */

/** `node:net` is not imported: it would be loaded by each command, and none of them needs it. */
const isIP = (text: string): number => process.getBuiltinModule('node:net').isIP(text);

/** A list of origins as browsers send them, or `*`. */
export const Origins = (): PropertyDecorator =>
  variableField(
    {
      parse: (text) => parseList(text).map(toOrigin),
      isValid: every((item) => item === '*' || ORIGIN.test(item)),
      expected: 'a comma list of origins like https://app.example, or *',
    },
    { default: '' },
  );

/** A scheme and an authority. Schemes of applications are allowed, e.g. `capacitor://localhost`. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@,*]+$/;

/** Browsers send hosts in lower case, without default ports and without a slash at the end. */
function toOrigin(item: string): string {
  const text = item.replace(/\/$/, '').toLowerCase();
  const origin = ORIGIN.test(text) ? URL.parse(text)?.origin : undefined;
  // `URL` gives 'null' for schemes other than those of the web.
  return origin === undefined || origin === 'null' ? text : origin;
}

/** An `http` or `https` URL without credentials, query and fragment. */
export const HttpUrl = (): PropertyDecorator =>
  variableField({
    isValid: isBaseUrl,
    expected: 'an http:// or https:// URL without user, password, query and fragment',
  });

/** A comma list of such URLs, or one. The value stays text. */
export const HttpUrls = (): PropertyDecorator =>
  variableField({
    isValid: (value) => typeof value === 'string' && value.split(',').every(isBaseUrl),
    expected:
      'an http:// or https:// URL without user, password, query and fragment, or a comma list of them',
  });

/** An `http` or `https` URL without credentials and fragment. */
export const HttpUrlWithQuery = (): PropertyDecorator =>
  variableField({
    isValid: isHttpUrl,
    expected: 'an http:// or https:// URL without user, password and fragment',
  });

/** The URL of a document: `https`. Whether `http` is allowed depends on other variables, see cross-checks.ts. */
export const DocumentUrl = (): PropertyDecorator =>
  variableField({
    isValid: isHttpUrl,
    expected: 'an https:// URL without user, password and fragment',
  });

const isBaseUrl = (value: unknown): boolean =>
  isHttpUrl(value) && new URL(value as string).search === '';

function isHttpUrl(value: unknown): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.hash === ''
  );
}

/** The URL of a proxy for outgoing requests, as curl reads it. It may contain user and password. */
export const ProxyUrl = (): PropertyDecorator =>
  variableField({
    lowerCase: true,
    isValid: isProxyUrl,
    expected: 'the URL of a proxy like http://proxy.example:3128',
  });

/** The hosts that are requested without a proxy. */
export const NoProxy = (): PropertyDecorator =>
  variableField({
    lowerCase: true,
    isValid: (value) => matches(value, /^[ -~]*$/),
    expected: 'a comma list of hosts',
  });

function isProxyUrl(value: unknown): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  const { pathname, search, hash, username, password } = url;
  return pathname === '/' && search + hash === '' && isDecodable(username + password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The setting `trust proxy` of Express: a boolean, a number of proxies, or their addresses. */
export const TrustProxy = (): PropertyDecorator =>
  variableField({
    parse: parseTrustProxy,
    isValid: (value) => !Array.isArray(value) || value.every(isProxyAddress),
    expected:
      'true, false, a number of proxies, or a comma list of addresses, networks (10.0.0.0/8), loopback, linklocal and uniquelocal',
  });

function parseTrustProxy(text: string): boolean | number | string[] {
  const value = text.trim().toLowerCase();
  if (value === 'true' || value === 'false') return value === 'true';
  return /^\d{1,3}$/.test(value) ? Number(value) : parseList(value);
}

function isProxyAddress(item: unknown): boolean {
  if (/^(?:loopback|linklocal|uniquelocal)$/.test(String(item))) return true;
  const [address = '', range, ...rest] = String(item).split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (range === undefined || (family === 4 && isNetmask(range))) return true;
  return /^[1-9]\d{0,2}$/.test(range) && Number(range) <= (family === 4 ? 32 : 128);
}

/** True for a netmask like 255.240.0.0: in binary, ones followed by zeros. */
const isNetmask = (text: string): boolean =>
  isIP(text) === 4 &&
  /^1+0*$/.test(
    text
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join(''),
  );
