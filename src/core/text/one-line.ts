/*
 * Text of others (kids, claims, paths) in a terminal or a log. What steers is not let through: controls of C0
 * and C1, line and paragraph separators, and Unicode's bidirectional controls, which change the order in
 * which text is read.
 */
const STEERING = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu;
const RUNS_OF_STEERING = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]+/gu;
/** The same without C0, which `JSON.stringify` escapes. */
const STEERING_IN_JSON = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Text on one line: whatever steers becomes a blank. */
export const oneLine = (text: string): string => text.replace(RUNS_OF_STEERING, ' ');

/** Text on one line, with nothing lost: whatever steers is written as JSON would, e.g. `\u202e`. */
export const visible = (text: string): string =>
  text.replace(STEERING, (char) => SHORT[char] ?? escaped(char));

/**
 * A line of JSON in which nothing steers.
 *
 * @param asText true: whoever parses it gets the text `\u202e`; false: the character itself
 */
export const visibleInJson = (line: string, asText: boolean): string =>
  STEERING_IN_JSON.test(line)
    ? line.replace(
        new RegExp(STEERING_IN_JSON, 'g'),
        (char) => `${asText ? '\\' : ''}${escaped(char)}`,
      )
    : line;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
