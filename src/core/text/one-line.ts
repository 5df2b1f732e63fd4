/*
 * Makes text of clients and files (kids, claims, paths) safe for a terminal or a log. Steering characters are
 * replaced: the control characters C0 and C1, line and paragraph separators, and Unicode's bidirectional controls,
 * which change the order in which text is displayed.
 */
const CONTROLS = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu;
const RUNS_OF_STEERING = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]+/gu;
/** Steering characters except C0, which `JSON.stringify` escapes. */
const STEERING_IN_JSON = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Puts text on one line: replaces each run of steering characters by a blank. */
export const oneLine = (text: string): string => text.replace(RUNS_OF_STEERING, ' ');

/** Puts text on one line without loss: escapes steering characters as in JSON, e.g. `\u202e`. */
export const escapeControls = (text: string): string =>
  text.replace(CONTROLS, (char) => SHORT[char] ?? escaped(char));

/**
 * Escapes the steering characters in a line of JSON.
 *
 * @param asText true: a parser of the line gets the text `\u202e`; false: it gets the character
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
