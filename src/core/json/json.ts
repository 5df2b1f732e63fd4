/** Matches a number, where a value may begin, that may not fit a double: 16 or more digits, or an exponent. */
const INEXACT_NUMBER_POSSIBLE = /(?:^|[:[,\s])-?\d(?:[\d.]{15}|[\d.]*[eE])/;

/** Matches such a number, or one that `JSON.stringify` may write differently: 19.90, -0, 0.0000001. */
const OTHER_SPELLING_POSSIBLE =
  /(?:^|[:[,\s])-?(?:\d(?:[\d.]{15}|[\d.]*[eE])|\d+\.\d*0(?!\d)|0\.0{6})|-0(?![\d.])/;

const keepSpelling = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
    ? rawJson(context.source)
    : value;

const keepSource = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && context?.source !== undefined && !isExact(value, context.source)
    ? rawJson(context.source)
    : value;

/** True when `value` is exactly the number in `source`, in whatever notation. */
const isExact = (value: number, source: string): boolean => {
  const text = String(value);
  return text === source || decimal(text) === decimal(source);
};

/** Normalizes the absolute value of a number: its digits without zeros at either end, and an exponent. */
function decimal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  const scale = Number(exponent) - fraction.length + digits.length - end;
  return end === 0 ? '0' : `${digits.slice(0, end)}e${scale}`;
}

/** `JSON.rawJSON`, which TypeScript's library does not declare yet. */
interface ExactJson {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): value is { rawJSON: string };
  parse(text: string, reviver?: typeof keepSource): unknown;
}
const exact = JSON as unknown as ExactJson;
const rawJson = (text: string): object => exact.rawJSON(text);

/**
 * `JSON.parse` that loses no digit: a number that a double cannot hold (9007199254740993, 1e400)
 * becomes a `JSON.rawJSON` object, which `JSON.stringify` writes back unchanged.
 *
 * @throws SyntaxError when `text` is not JSON
 */
export function parseJsonExactly(text: string): unknown {
  return withExactNumbers(text, JSON.parse(text));
}

/** Like {@link parseJsonExactly}. `value` is what `JSON.parse` has already returned for `text`. */
export const withExactNumbers = (text: string, value: unknown): unknown =>
  INEXACT_NUMBER_POSSIBLE.test(text) ? exact.parse(text, keepSource) : value;

/**
 * Like {@link withExactNumbers}, but each number also keeps its notation (`19.90`, `1E2`): for values that are passed on or
 * signed, and not computed with.
 */
export const withNotation = (text: string, value: unknown): unknown =>
  OTHER_SPELLING_POSSIBLE.test(text) ? exact.parse(text, keepSpelling) : value;

/** The double nearest to a JSON number as {@link parseJsonExactly} returns it; `undefined` for anything else. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return exact.isRawJSON(value) ? Number(value.rawJSON) : undefined;
}

/** True for an object with members: no array, no `Date`, no `Map`, no raw number. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]' && !exact.isRawJSON(value);
}

/**
 * True when an object in `text` names a member twice. Compares the number of colons outside of strings (one per
 * member) with the number of members of the parsed value, which has one per name.
 *
 * @param value the parsed `text`
 */
export function hasDuplicateMembers(text: string, value: unknown): boolean {
  return countColons(text) !== countMembers(value);
}

function countColons(text: string): number {
  let colons = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x22 /* " */) inString = !inString;
    else if (char === 0x5c /* \ */ && inString) i++;
    else if (char === 0x3a /* : */ && !inString) colons++;
  }
  return colons;
}

function countMembers(root: unknown): number {
  let members = 0;
  // A loop, not recursion: deep nesting must not overflow the stack.
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (value === null || typeof value !== 'object' || exact.isRawJSON(value)) continue;
    const children: unknown[] = Object.values(value);
    if (!Array.isArray(value)) members += children.length;
    for (const child of children) if (child !== null && typeof child === 'object') open.push(child);
  }
  return members;
}

/** True when `value` nests deeper than `levels`. `JSON.stringify` overflows the stack when a value nests too deep. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  let layer: unknown[] = [value];
  for (let depth = 0; layer.length > 0; depth++) {
    if (depth > levels) return true;
    const next: unknown[] = [];
    for (const item of layer)
      if (item !== null && typeof item === 'object')
        for (const child of Array.isArray(item) ? (item as unknown[]) : Object.values(item))
          if (child !== null && typeof child === 'object') next.push(child);
    layer = next;
  }
  return false;
}

/** The result of {@link memberAt} when there is no such member. A member that is `undefined` exists. */
export const ABSENT = Symbol('absent');

/**
 * Returns the member of an object at a path. Only own properties count, so `__proto__` and `constructor` are names
 * like any other. Lists are not entered.
 */
export function memberAt(value: unknown, path: readonly string[]): unknown {
  let member = value;
  for (const name of path) {
    if (!isJsonObject(member) || !Object.hasOwn(member, name)) return ABSENT;
    member = member[name];
  }
  return member;
}

/** Removes the byte order mark that some editors write at the start of a text (RFC 8259 section 8.1). */
export const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

/** Allows the characters of subtype names (RFC 6838 section 4.2) that are in use. */
const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * True for `application/json` and types with the suffix `+json` (RFC 6839 section 3.1), with or without
 * parameters.
 *
 * @param contentType value of a `Content-Type` header
 */
export const isJsonMediaType = (contentType: string): boolean => JSON_MEDIA_TYPE.test(contentType);

/** Returns type and subtype of a `Content-Type` header, in lower case and without parameters. */
export const mediaType = (contentType: string | undefined): string | undefined =>
  contentType?.split(';', 1)[0]?.trim().toLowerCase();
