import { IsOptional } from 'class-validator/cjs/decorator/common/IsOptional.js';
import { ValidateBy } from 'class-validator/cjs/decorator/common/ValidateBy.js';

/** A variable as `Environment` declares it. */
export interface Variable {
  readonly name: string;
  /** Value of an unset or empty variable, as text. `undefined`: there is no default here. */
  readonly default?: string;
  /** Default with `NODE_ENV=production`, where it differs. */
  readonly production?: string;
  /** Other names of the variable. They are read in this order, and all of them before `name`. */
  readonly aliases: readonly string[];
  /** Converts the text. Wrong text gives a value that the rule of the variable refuses. */
  readonly parse: (text: string) => unknown;
}

type Value = string | number | boolean;

/** Defaults of a variable that is unset or empty. */
export interface Defaults {
  default?: Value;
  /** With `NODE_ENV=production`; left out where it is the same. */
  production?: Value;
}

/** How one kind of variable is read and checked. */
export interface Rule {
  /** Converts the text. Default: removes blanks around it. */
  parse?: (text: string) => unknown;
  isValid: (value: unknown) => boolean;
  /** The end of the message "NAME must be …". */
  expected: string;
  /** Appended to the message for a wrong value. It must not repeat the value. */
  hint?: (value: unknown) => string;
  /** The name in lower case counts too, and comes first, as other software reads it. */
  lowerCase?: boolean;
}

/** All variables, in the order of their declaration. */
export const VARIABLES: Variable[] = [];

/**
 * Makes the decorator of a member of `Environment`: it registers the variable in {@link VARIABLES}, and its rule with
 * class-validator.
 */
export function variableField(rule: Rule, defaults: Defaults = {}): PropertyDecorator {
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

const trim = (text: string): string => text.trim();

/** Splits a comma list. Empty text is the empty list. */
export function parseList(text: string): string[] {
  if (text.trim() === '') return [];
  const items = text.split(',').map(trim).filter(Boolean);
  // A list of nothing but commas has an empty item, which no rule accepts.
  return items.length > 0 ? items : [''];
}

/** True for a list whose items are all valid. */
export const every =
  (isValid: (item: string) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isValid);

/** True for text that matches the pattern. */
export const matches = (value: unknown, pattern: RegExp): boolean =>
  typeof value === 'string' && pattern.test(value);
