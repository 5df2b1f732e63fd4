import { describe, expect, it } from 'vitest';
import { AnswerCache } from './answer-cache.js';

describe('AnswerCache', () => {
  it('gives a text until its time', () => {
    const cache = new AnswerCache(10_000);
    cache.set('a', 'text', 100);
    expect([
      cache.get('a', 99),
      cache.get('a', 100),
      cache.get('a', 99),
      cache.get('b', 0),
    ]).toEqual(['text', undefined, undefined, undefined]);
  });

  it('holds so many characters, and drops what was not asked for the longest', () => {
    // Three entries of 200 + 100.
    const cache = new AnswerCache(900);
    const text = 'x'.repeat(100);
    for (const name of ['a', 'b', 'c']) cache.set(name, text, 1);
    expect(cache.get('a', 0)).toBe(text);
    cache.set('d', text, 1);
    const held = ['a', 'b', 'c', 'd'].filter((name) => cache.get(name, 0) !== undefined);
    expect(held).toEqual(['a', 'c', 'd']);
    // One that has run out gives its room back.
    expect(cache.get('c', 1)).toBeUndefined();
    cache.set('e', text, 1);
    expect(['a', 'd', 'e'].map((name) => cache.get(name, 0))).toEqual([text, text, text]);
    // One that is replaced takes its room once.
    cache.set('a', text, 2);
    expect(['a', 'd', 'e'].map((name) => cache.get(name, 0))).toEqual([text, text, text]);
  });

  it('is bounded whatever comes', () => {
    const cache = new AnswerCache(2000);
    for (let i = 0; i < 1000; i++) cache.set(`${i}`, '', 1);
    const held = Array.from({ length: 1000 }, (_, i) => cache.get(`${i}`, 0));
    expect(held.filter((text) => text !== undefined).length).toBe(10);
  });
});
