import { IsOptional } from 'class-validator/cjs/decorator/common/IsOptional.js';
import { ValidateBy } from 'class-validator/cjs/decorator/common/ValidateBy.js';
import { nearest } from '../core/text/index.js';

/*
 * Decorators for the members of `Environment`: each says how the text of a variable becomes a value,
 * what is wrong with it, and what it is when it is unset. No message repeats a value, since it may be
 * a secret in the wrong place.
 */

/** A variable as it is declared in `Environment`. */
export interface Variable {
  readonly name: string;
  /** Where it is unset or empty, as one would write it. Undefined: it has no default here. */
  readonly default?: string;
  /** The same with `NODE_ENV=production`, where it differs. */
  readonly production?: string;
  /** Further names of it; the first that is set counts, and all of them before `name`. */
  readonly aliases: readonly string[];
  /** The value of a text; of a text that is wrong something that the variable's rule refuses. */
  readonly parse: (text: string) => unknown;
}

type Value = string | number | boolean;

/** What a variable is where it is unset or empty. */
interface Defaults {
  default?: Value;
  production?: Value;
}

interface Rule {
  /** Default: the text without blanks around it. */
  parse?: (text: string) => unknown;
  isValid: (value: unknown) => boolean;
  /** What stands behind "NAME must be". */
  expected: string;
  /** A hint for a wrong value. */
  hint?: (value: unknown) => string;
  /** True for a variable of other software, too, which is read by its name in lower case first. */
  lowerCase?: boolean;
}

/** All variables, in the order of their declaration. */
export const VARIABLES: Variable[] = [];

function variable(rule: Rule, defaults: Defaults = {}): PropertyDecorator {
  const { parse = trim, isValid, expected, hint = () => '', lowerCase = false } = rule;
  return (target, property) => {
    const name = String(property);
    const aliases = lowerCase ? [name.toLowerCase()] : [];
    const names = [name, ...aliases.map((alias) => `(or ${alias})`)].join(' ');
    IsOptional()(target, property);
    ValidateBy({
      name: 'variable',
      validator: {
        validate: isValid,
        defaultMessage: (args) => `${names} must be ${expected}${hint(args?.value)}`,
      },
    })(target, name);
    VARIABLES.push({
      name,
      default: defaults.default?.toString(),
      production: defaults.production?.toString(),
      aliases,
      parse,
    });
  };
}

/** Not imported: a command asks it nothing, and has no other use for `node:net`. */
const isIP = (text: string): number => process.getBuiltinModule('node:net').isIP(text);

const trim = (text: string): string => text.trim();
const matches = (value: unknown, pattern: RegExp): boolean =>
  typeof value === 'string' && pattern.test(value);

/** Text that matches a pattern. */
export const Text = (pattern: RegExp, expected: string, defaults?: Defaults): PropertyDecorator =>
  variable({ isValid: (value) => matches(value, pattern), expected }, defaults);

/** A secret: blanks around it belong to it. */
export const Secret = (minLength: number): PropertyDecorator =>
  variable({
    parse: (text) => text,
    isValid: (value) => matches(value, /^[^\0]*$/) && String(value).length >= minLength,
    expected: `at least ${minLength} characters long`,
  });

/** One of a few words. */
export const Choice = (words: readonly string[], defaults?: Defaults): PropertyDecorator =>
  variable(
    {
      isValid: (value) => words.includes(value as string),
      expected: `one of ${words.join(', ')}`,
      hint: (value) => didYouMean([value], words),
    },
    defaults,
  );

/** A comma list of words out of a few. */
export const ChoiceList = (words: readonly string[], defaults?: Defaults): PropertyDecorator =>
  variable(
    {
      parse: parseList,
      isValid: every((item) => words.includes(item)),
      expected: `a comma list out of ${words.join(', ')}`,
      hint: (value) => didYouMean(value as unknown[], words),
    },
    defaults,
  );

/** A word that is spelled almost like one of the values. */
function didYouMean(values: readonly unknown[], words: readonly string[]): string {
  for (const value of values) {
    if (typeof value !== 'string' || words.includes(value)) continue;
    const word = nearest(value, words, value.length < 4 ? 1 : 2);
    if (word !== undefined) return ` (did you mean ${word}?)`;
  }
  return '';
}

/** A whole number, or the word that stands for one. */
export const Int = (
  min: number,
  max: number,
  { word, ...defaults }: Defaults & { word?: string } = {},
): PropertyDecorator =>
  variable(
    {
      parse: (text) => (text.trim() === word ? word : parseInteger(text)),
      isValid: (value) => value === word || (Number(value) >= min && Number(value) <= max),
      expected: `a whole number from ${min} to ${max}${word === undefined ? '' : `, or ${word}`}`,
    },
    defaults,
  );

const parseInteger = (text: string): number =>
  /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;

/** `true` or `false`. */
export const Flag = (defaults: Defaults = { default: false }): PropertyDecorator =>
  variable(
    {
      parse: (text) => ({ true: true, false: false })[text.trim().toLowerCase()] ?? text,
      isValid: (value) => typeof value === 'boolean',
      expected: 'true or false',
    },
    defaults,
  );

/** A size like `512`, `16kb` or `1mb`, at most 1gb, in bytes. */
export const Bytes = (defaults?: Defaults): PropertyDecorator =>
  variable(
    {
      parse: parseBytes,
      isValid: (value) => Number(value) >= 1 && Number(value) <= UNITS.gb,
      expected: 'a size like 512, 16kb or 1mb, at most 1gb',
    },
    defaults,
  );

const UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

function parseBytes(text: string): number {
  const [, amount = NaN, unit = 'b'] = /^(\d{1,12})\s*(b|kb|mb|gb)?$/i.exec(text.trim()) ?? [];
  return Number(amount) * UNITS[unit.toLowerCase() as keyof typeof UNITS];
}

/** A comma list whose items match a pattern. Default: the empty list. */
export const List = (
  pattern: RegExp,
  items: string,
  defaults: Defaults = { default: '' },
): PropertyDecorator =>
  variable(
    {
      parse: parseList,
      isValid: every((item) => pattern.test(item)),
      expected: `a comma list of ${items}`,
    },
    defaults,
  );

function parseList(text: string): string[] {
  if (text.trim() === '') return [];
  const items = text.split(',').map(trim).filter(Boolean);
  // Nothing but commas names nothing, which fits no rule.
  return items.length > 0 ? items : [''];
}

const every =
  (isValid: (item: string) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isValid);

/** A list of origins as browsers write them, or `*`. */
export const Origins = (): PropertyDecorator =>
  variable(
    {
      parse: (text) => parseList(text).map(toOrigin),
      isValid: every((item) => item === '*' || ORIGIN.test(item)),
      expected: 'a comma list of origins like https://app.example, or *',
    },
    { default: '' },
  );

/** A scheme and an authority; those of applications (`capacitor://localhost`) count, too. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@,*]+$/;

/** Browsers write no default port, no slash at the end, and hosts in lower case. */
function toOrigin(item: string): string {
  const text = item.replace(/\/$/, '').toLowerCase();
  const origin = ORIGIN.test(text) ? URL.parse(text)?.origin : undefined;
  // Of schemes other than those of the web it is opaque.
  return origin === undefined || origin === 'null' ? text : origin;
}

/** An `http` or `https` URL without credentials, query and fragment. */
export const HttpUrl = (): PropertyDecorator =>
  variable({
    isValid: isBaseUrl,
    expected: 'an http:// or https:// URL without user, password, query and fragment',
  });

/** One or several of them, in a comma list, which stays a text. */
export const HttpUrls = (): PropertyDecorator =>
  variable({
    isValid: (value) => typeof value === 'string' && value.split(',').every(isBaseUrl),
    expected:
      'an http:// or https:// URL without user, password, query and fragment, or a comma list of them',
  });

/** The same, where a query is allowed. */
export const HttpUrlWithQuery = (): PropertyDecorator =>
  variable({
    isValid: isHttpUrl,
    expected: 'an http:// or https:// URL without user, password and fragment',
  });

/** The URL of a document: `https`, or `http` where a rule across variables allows it. */
export const DocumentUrl = (): PropertyDecorator =>
  variable({
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

/** A proxy for outgoing requests, named as curl and others do; its user and password may stand in it. */
export const ProxyUrl = (): PropertyDecorator =>
  variable({
    lowerCase: true,
    isValid: isProxyUrl,
    expected: 'the URL of a proxy like http://proxy.example:3128',
  });

/** Hosts that are asked without that proxy. */
export const NoProxy = (): PropertyDecorator =>
  variable({
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

/** Express' `trust proxy`: a boolean, a number of proxies, or addresses. */
export const TrustProxy = (): PropertyDecorator =>
  variable({
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

/** Ones, then zeros, like 255.240.0.0. */
const isNetmask = (text: string): boolean =>
  isIP(text) === 4 &&
  /^1+0*$/.test(
    text
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join(''),
  );
