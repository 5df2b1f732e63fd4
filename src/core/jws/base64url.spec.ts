import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from './base64url.js';

describe('decodeBase64url', () => {
  it('reads what every encoder writes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64url(Buffer.from(bytes).toString('base64url'))).toEqual(
          Buffer.from(bytes),
        );
      }),
    );
  });

  // Each of these decodes to the same bytes as its canonical form in a lenient decoder.
  it.each([
    ['padding', 'AA=='],
    ['one padding character', 'AAA='],
    ['a blank', 'AA AA'],
    ['a line break', 'AAAA\n'],
    ['a leading blank', ' AAAA'],
    ['stray bits in a two-character tail', 'AB'],
    ['stray bits in a three-character tail', 'AAB'],
    ['a single character in the tail', 'AAAAA'],
    ['the alphabet of base64, plus', '+A'],
    ['the alphabet of base64, slash', '/w'],
    ['a character of no alphabet', 'AA?A'],
    ['a NUL', 'AA\0A'],
    ['a wide character that truncates to a letter', 'AAA\u0141'],
  ])('refuses %s', (_what, text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });

  it('accepts no second spelling of any bytes', () => {
    const alphabet = fc.constantFrom(...Array.from('ABCwxyz019-_+/= \n.'));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        const bytes = decodeBase64url(text);
        expect(bytes?.toString('base64url') ?? text).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });
});
