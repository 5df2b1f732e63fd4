import { describe, expect, it } from 'vitest';
import { oneLine, escapeControls, visibleInJson } from './index.js';

/** Each kind of character that steers a terminal or a log viewer. */
const STEERING = [
  ['a line break', '\n', '\\n'],
  ['a carriage return', '\r', '\\r'],
  ['a tab', '\t', '\\t'],
  ['NUL', '\0', '\\u0000'],
  ['the escape of ANSI sequences', '\u001b', '\\u001b'],
  ['DEL', '\u007f', '\\u007f'],
  ['CSI of C1', '\u009b', '\\u009b'],
  ['NEL of C1', '\u0085', '\\u0085'],
  ['a line separator', '\u2028', '\\u2028'],
  ['a paragraph separator', '\u2029', '\\u2029'],
  ['an Arabic letter mark', '\u061c', '\\u061c'],
  ['a left-to-right mark', '\u200e', '\\u200e'],
  ['a right-to-left override', '\u202e', '\\u202e'],
  ['an isolate', '\u2066', '\\u2066'],
  ['its end', '\u2069', '\\u2069'],
] as const;
const ORDINARY = 'schlüssel-鍵 "a" \\ 👋';

describe.each(STEERING)('%s', (_name, char, written) => {
  it('is a blank on one line', () => {
    expect(oneLine(`a${char}${char}b`)).toBe('a b');
  });

  it('is visible in a log', () => {
    expect(escapeControls(`a${char}b`)).toBe(`a${written}b`);
  });

  it('does not stand in a line of JSON, which means the same as before', () => {
    const line = JSON.stringify({ kid: `a${char}b`, other: ORDINARY });
    const clean = visibleInJson(line, false);
    expect(clean).toMatch(/^[^\p{Cc}\u2028\u2029\p{Bidi_Control}]*$/u);
    expect(JSON.parse(clean)).toEqual(JSON.parse(line));
  });

  it('is text for whoever prints a parsed line', () => {
    const { kid } = JSON.parse(visibleInJson(JSON.stringify({ kid: `a${char}b` }), true)) as {
      kid: string;
    };
    expect(escapeControls(kid)).toBe(`a${written}b`);
  });
});

it('letters of all scripts stay as they are', () => {
  expect([oneLine(ORDINARY), escapeControls(ORDINARY)]).toEqual([ORDINARY, ORDINARY]);
  expect(visibleInJson(JSON.stringify(ORDINARY), false)).toBe(JSON.stringify(ORDINARY));
});
