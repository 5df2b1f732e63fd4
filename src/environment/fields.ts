import { nearest } from '../core/text/index.js';
import { every, matches, parseList, variableField, type Defaults } from './variable.js';

/*
 * Decorators for the members of `Environment`: how the text of a variable is converted and checked, and its default.
 * The decorators for URLs and addresses are in network-fields.ts. No message repeats a value: it may be a secret in the
 * wrong variable.
 */

/** Text that matches a pattern. */
export const Text = (pattern: RegExp, expected: string, defaults?: Defaults): PropertyDecorator =>
  variableField({ isValid: (value) => matches(value, pattern), expected }, defaults);

/** A secret. Blanks around it are part of it. */
export const Secret = (minLength: number): PropertyDecorator =>
  variableField({
    parse: (text) => text,
    isValid: (value) => matches(value, /^[^\0]*$/) && String(value).length >= minLength,
    expected: `at least ${minLength} characters long`,
  });

/** One of the given words. */
export const Choice = (words: readonly string[], defaults?: Defaults): PropertyDecorator =>
  variableField(
    {
      isValid: (value) => words.includes(value as string),
      expected: `one of ${words.join(', ')}`,
      hint: (value) => didYouMean([value], words),
    },
    defaults,
  );

/** A comma list of the given words. */
export const ChoiceList = (words: readonly string[], defaults?: Defaults): PropertyDecorator =>
  variableField(
    {
      parse: parseList,
      isValid: every((item) => words.includes(item)),
      expected: `a comma list out of ${words.join(', ')}`,
      hint: (value) => didYouMean(value as unknown[], words),
    },
    defaults,
  );

/** The hint for the first value that is a misspelling of one of the words; else empty. */
function didYouMean(values: readonly unknown[], words: readonly string[]): string {
  for (const value of values) {
    if (typeof value !== 'string' || words.includes(value)) continue;
    const word = nearest(value, words, value.length < 4 ? 1 : 2);
    if (word !== undefined) return ` (did you mean ${word}?)`;
  }
  return '';
}

/** A whole number from `min` to `max`, or the one word that is allowed in its place. */
export const Int = (
  min: number,
  max: number,
  { word, ...defaults }: Defaults & { word?: string } = {},
): PropertyDecorator =>
  variableField(
    {
      parse: (text) => (text.trim() === word ? word : parseInteger(text)),
      isValid: (value) => value === word || (Number(value) >= min && Number(value) <= max),
      expected: `a whole number from ${min} to ${max}${word === undefined ? '' : `, or ${word}`}`,
    },
    defaults,
  );

const parseInteger = (text: string): number =>
  /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;

/** `true` or `false`, in any case. */
export const Flag = (defaults: Defaults = { default: false }): PropertyDecorator =>
  variableField(
    {
      parse: (text) => ({ true: true, false: false })[text.trim().toLowerCase()] ?? text,
      isValid: (value) => typeof value === 'boolean',
      expected: 'true or false',
    },
    defaults,
  );

/** A size in bytes: `512`, `16kb` or `1mb`, at most `1gb`. */
export const Bytes = (defaults?: Defaults): PropertyDecorator =>
  variableField(
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
  variableField(
    {
      parse: parseList,
      isValid: every((item) => pattern.test(item)),
      expected: `a comma list of ${items}`,
    },
    defaults,
  );
