import { describe, expect, it } from 'vitest';
import { claimsToHeaders } from './index.js';

const HEADER = { claim: 'c', header: 'x-c', utf8: false, repeated: false };

describe('claimsToHeaders', () => {
  it.each([
    ['plain text', 'plain text'],
    [' a b ', '%20a b%20'],
    ['   ', '%20%20%20'],
    ['', ''],
    ['a  b', 'a  b'],
    ['ä%', '%C3%A4%25'],
    ['a,b', 'a%2Cb'],
    [['a,b', ' c'], 'a%2Cb,%20c'],
  ])('%j is %j', (value, expected) => {
    expect(claimsToHeaders({ c: value }, [HEADER])).toEqual({ 'x-c': expected });
  });

  it('takes time that grows with the length, whatever the text', () => {
    const blanks = `a${' '.repeat(2_000_000)}b`;
    const began = performance.now();
    expect(claimsToHeaders({ c: blanks }, [HEADER])['x-c']).toHaveLength(2_000_002);
    // A quadratic expression takes an hour.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
