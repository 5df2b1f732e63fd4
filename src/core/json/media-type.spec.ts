import { describe, expect, it } from 'vitest';
import { isJsonMediaType, mediaType } from './index.js';

describe('isJsonMediaType', () => {
  it.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/json ;x',
    'application/jwk-set+json',
    'application/vnd.a.b-c+json',
    'application/vnd.a+b+json;v=1',
  ])('%j is JSON', (type) => expect(isJsonMediaType(type)).toBe(true));

  it.each([
    '',
    'text/json',
    'text/html; a=application/json',
    'application/jsonp',
    'application/json5',
    'application/+json',
    'application/json, text/html',
    ' application/json',
    'application/a b+json',
  ])('%j is not', (type) => expect(isJsonMediaType(type)).toBe(false));

  it('takes no time over a long one', () => {
    const start = performance.now();
    expect(isJsonMediaType(`application/${'a+'.repeat(50_000)}`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(500);
  });
});

describe('mediaType', () => {
  it.each([
    [undefined, undefined],
    ['', ''],
    [' Application/JSON ;charset=utf-8', 'application/json'],
    ['a/b; c="d;e"', 'a/b'],
  ])('of %j is %j', (header, expected) => expect(mediaType(header)).toBe(expected));
});
