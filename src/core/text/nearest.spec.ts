import { describe, expect, it } from 'vitest';
import { probableMatch, nearest } from './nearest.js';

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

describe('meant', () => {
  it.each([
    ['rotaet', 'rotate'],
    ['ROTATE', 'rotate'],
    ['rotte', 'rotate'],
    ['ls', undefined],
    ['rehtoric', undefined],
    // The longest possible argument: its length alone rules out all candidates.
    ['x'.repeat(1_000_000), undefined],
  ])('by %j is %s', (word, result) => {
    expect(probableMatch(word, ['list', 'rotate'])).toBe(result);
  });
});
