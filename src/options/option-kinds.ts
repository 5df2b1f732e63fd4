import { probableMatch } from '../core/text/index.js';

/** Checks the value of an option. @returns its problems, each with the name of the option; empty for a valid value */
export type OptionKind = (value: unknown, name: string) => readonly string[];

/** The kinds of all members of an options type. */
export type OptionKinds<Options extends object> = {
  readonly [Name in keyof Required<Options>]: OptionKind;
};

const kind =
  (expected: string, isGood: (value: unknown) => boolean): OptionKind =>
  (value, name) =>
    isGood(value) ? [] : [`'${name}' is ${shape(value)}; it has to be ${expected}`];

/** Describes a value without quoting it, since it may be a secret. */
function shape(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return value.trim() !== '' && Number.isFinite(Number(value))
        ? 'a number as a string'
        : 'a string';
    case 'number':
      return Number.isFinite(value) ? `the number ${value}` : String(value);
    case 'boolean':
      return `the flag ${String(value)}`;
    case 'object':
      return 'an object';
    default:
      return `a ${typeof value}`;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

export const text = kind('a string', isText);
/** Text that is not empty. */
export const name = kind('a string that is not empty', (value) => isText(value) && value !== '');
export const texts = kind(
  'a list of strings',
  (value) => Array.isArray(value) && value.every(isText),
);
/** A list whose items are checked elsewhere. */
export const list = kind('a list', Array.isArray);
/** A string or a list of strings. Items that are `undefined` (e.g. unset variables) are allowed. */
export const textOrTexts = kind(
  'a string or a list of strings',
  (value) =>
    isText(value) ||
    (Array.isArray(value) && value.every((item) => item === undefined || isText(item))),
);
export const flag = kind('true or false', (value) => typeof value === 'boolean');
export const method = kind('a function', (value) => typeof value === 'function');
export const object = kind(
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
/** A class or a schema. */
export const methodOrObject = kind(
  'a class or a schema',
  (value) => typeof value === 'function' || object(value, '').length === 0,
);
/** A class that Nest creates an instance of, or an instance. */
export const classOrInstance = kind(
  'a class, or an instance of one',
  (value) => typeof value === 'function' || object(value, '').length === 0,
);
/** An object whose members are texts or lists of texts. */
export const textsByName = kind(
  'an object with texts',
  (value) =>
    object(value, '').length === 0 &&
    Object.values(value as object)
      .flat()
      .every(isText),
);

/** @param unit e.g. `seconds` */
export const number = (unit: string, least = 0): OptionKind =>
  kind(
    `a number of ${unit}, at least ${least}`,
    (value) => typeof value === 'number' && Number.isFinite(value) && value >= least,
  );

/** @param unit e.g. `bytes` */
export const whole = (unit: string, least = 0): OptionKind =>
  kind(
    `a whole number of ${unit}, at least ${least}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= least,
  );

/** One of the given words or flags. */
export const oneOf = (...words: readonly (string | boolean)[]): OptionKind =>
  kind(
    `one of: ${words.map((word) => (isText(word) ? `'${word}'` : String(word))).join(', ')}`,
    (value) => words.includes(value as string | boolean),
  );

/** The first kind, or the value `other`. */
export const orElse =
  (first: OptionKind, other: unknown): OptionKind =>
  (value, option) =>
    value === other ? [] : first(value, option);

/** A list of objects with these members. */
export const listOf =
  (kinds: Readonly<Record<string, OptionKind>>): OptionKind =>
  (value, option) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => members(kinds)(item, `${option}[${index}]`))
      : [`'${option}' is ${shape(value)}; it has to be a list of objects`];

/** An object with these members and no others. Members that are `undefined` count as left out. */
export const members =
  (kinds: Readonly<Record<string, OptionKind>>): OptionKind =>
  (value, option) => {
    const wrong = object(value, option);
    if (wrong.length > 0) return wrong;
    const path = (member: string): string => (option === '' ? member : `${option}.${member}`);
    return Object.entries(value as object).flatMap(([member, given]) => {
      const expected = Object.hasOwn(kinds, member) ? kinds[member] : undefined;
      if (expected === undefined) return [unknownMember(path(member), member, Object.keys(kinds))];
      return given === undefined ? [] : expected(given, path(member));
    });
  };

function unknownMember(path: string, member: string, known: readonly string[]): string {
  const near = probableMatch(member, known);
  return `there is no option '${path}'${near === undefined ? '' : `; did you mean '${near}'?`}`;
}
