import { describe, expect, it } from 'vitest';
import { parseClaims } from './token-checks.js';

/** The claims of a payload as text again, or why it is refused. `\xff` is a byte that UTF-8 does not have. */
const parsed = (payload: string): string => {
  try {
    return JSON.stringify(parseClaims(Buffer.from(payload, 'latin1')));
  } catch (error) {
    return (error as Error).message;
  }
};

const NO_OBJECT = 'the payload is not a JSON object in UTF-8';
const TWICE = 'the payload names a member twice';

describe('the claims of a payload', () => {
  it.each([
    ['{}', '{}'],
    ['{"sub":"a","n":1,"deep":{"sub":"b"},"list":[{"sub":"c"},null]}', undefined],
    // No digit is lost.
    ['{"n":9007199254740993}', undefined],
    ['{"n":1e400}', undefined],
    ['{"n":0.1000000000000000055}', undefined],
    ['{"n":-0}', '{"n":0}'],
    ['{"n":1.0}', '{"n":1}'],
    // Another order, another spelling of a name.
    ['{"b":1,"2":2,"1":1}', '{"1":1,"2":2,"b":1}'],
    ['{"\\u0061":1}', '{"a":1}'],
    ['{"__proto__":{"sub":"a"}}', undefined],
    // Two readers could take different ones.
    ['{"a":1,"a":1}', TWICE],
    ['{"a":1,"\\u0061":2}', TWICE],
    ['{"a":{"b":1,"b":2}}', TWICE],
    ['{"a":[{"b":1,"b":1}]}', TWICE],
    ['{"__proto__":1,"__proto__":1}', TWICE],
    ['{"1":1,"1":1}', TWICE],
    ['{"a":9007199254740993,"a":9007199254740993}', TWICE],
    // None at all.
    ['', NO_OBJECT],
    ['{"a":1', NO_OBJECT],
    ['[{"a":1}]', NO_OBJECT],
    ['"a"', NO_OBJECT],
    ['1e400', NO_OBJECT],
    ['9007199254740993', NO_OBJECT],
    ['null', NO_OBJECT],
    ['{"a":"\xff"}', NO_OBJECT],
    ['{"a":"\xff","n":9007199254740993}', NO_OBJECT],
    ['{"a":"\xff","a":1}', NO_OBJECT],
  ])('%s', (payload, expected = payload) => {
    expect(parsed(payload)).toBe(expected);
    // In the spelling of another issuer.
    expect(parsed(payload.replaceAll(/[:,]/g, '$& '))).toBe(expected);
    expect(parsed(` ${payload}\n`)).toBe(expected);
  });
});
