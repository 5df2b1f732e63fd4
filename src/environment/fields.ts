import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateBy,
  type ValidationOptions,
} from 'class-validator';

/**
 * Decorators for the variables of `Environment`: each turns the text into its type and checks it.
 * No message repeats a value, since it may be a secret in the wrong place.
 */
const message = (text: string): ValidationOptions => ({ message: `$property ${text}` });
const listMessage = (text: string): ValidationOptions => ({ ...message(text), each: true });

const transform = (convert: (text: string) => unknown): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? convert(value) : value,
  );

/** Text that matches a pattern. */
export const Text = (pattern: RegExp, what: string): PropertyDecorator =>
  applyDecorators(IsOptional(), Matches(pattern, message(`must be ${what}`)));

/** One of a few words. */
export const Choice = (values: readonly string[]): PropertyDecorator =>
  applyDecorators(IsOptional(), IsIn(values, message(`must be one of ${values.join(', ')}`)));

/** A whole number. */
export const Int = (min: number, max: number): PropertyDecorator => {
  const rule = message(`must be a whole number from ${min} to ${max}`);
  return applyDecorators(
    IsOptional(),
    transform((text) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN)),
    IsInt(rule),
    Min(min, rule),
    Max(max, rule),
  );
};

/** `true` or `false`. */
export const Flag = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    transform((text) => ({ true: true, false: false })[text.trim().toLowerCase()] ?? text),
    IsIn([true, false], message('must be true or false')),
  );

/** A size like `512`, `16kb` or `1mb`, in bytes. */
export const Bytes = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    transform(parseBytes),
    Min(1, message('must be a size like 512, 16kb or 1mb')),
    Max(1024 ** 3, message('must be at most 1gb')),
  );

/** A comma list whose items match a pattern. */
export const List = (pattern: RegExp, what: string): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    splitList,
    Matches(pattern, listMessage(`must be a comma list of ${what}`)),
  );

/** A comma list of words out of a few. */
export const ChoiceList = (values: readonly string[]): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    splitList,
    IsIn(values, listMessage(`must be a comma list out of ${values.join(', ')}`)),
  );

/** An `http` or `https` URL without credentials and fragment. */
export const DocumentUrl = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    ValidateBy(
      { name: 'documentUrl', validator: { validate: (value) => isHttpUrl(value, true) } },
      message('must be an https:// URL without user, password and fragment'),
    ),
  );

/** An `http` or `https` URL without credentials, query and fragment. */
export const HttpUrl = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    ValidateBy(
      { name: 'httpUrl', validator: { validate: (value) => isHttpUrl(value, false) } },
      message('must be an http:// or https:// URL without user, password, query and fragment'),
    ),
  );

const splitList = transform((text) => {
  if (text.trim() === '') return [];
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  // Nothing but commas names nothing, which fits no pattern.
  return items.length > 0 ? items : [''];
});

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

function parseBytes(text: string): number {
  const match = /^(\d{1,12})\s*(b|kb|mb|gb)?$/i.exec(text.trim());
  return match === null ? NaN : Number(match[1]) * (UNITS[match[2]?.toLowerCase() ?? 'b'] ?? 1);
}

function isHttpUrl(value: unknown, mayHaveQuery: boolean): boolean {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return (
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.hash + (mayHaveQuery ? '' : url.search) === ''
  );
}
