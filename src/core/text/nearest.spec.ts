import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.js';

describe('nearest', () => {
  it.each([
    // word, candidates, most edits, result
    ['HS256', ['HS512', 'HS256'], 0, 'HS256'],
    ['hs256', ['HS512', 'HS256'], 0, 'HS256'],
    ['ALG', ['AGL'], 1, 'AGL'],
    ['ALG', ['ALGO', 'AL', 'AXG'], 1, 'ALGO'],
    ['kitten', ['sitting'], 2, undefined],
    ['kitten', ['sitting'], 3, 'sitting'],
    ['', ['a', 'ab'], 5, 'a'],
    ['x', [], 5, undefined],
  ])('of %j among %j within %i edits is %s', (word, candidates, most, result) => {
    expect(nearest(word, candidates, most)).toBe(result);
  });
});
