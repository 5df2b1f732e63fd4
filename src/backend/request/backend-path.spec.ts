import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonExactly } from '../../core/json/index.js';
import { fillPath } from './backend-path.js';

const fill = (template: string, text: string): string =>
  fillPath(template, parseJsonExactly(text) as Record<string, unknown>);
const refusal = (text = '') =>
  expect.objectContaining({
    details: expect.objectContaining({
      status: 403,
      code: 'claim_for_backend_missing',
      explanation: expect.stringContaining(text) as string,
    }) as object,
  }) as Error;

describe('fillPath', () => {
  it('leaves a template without claims as it is', () => {
    for (const path of ['/user/1.json', '/a/../b?c={x}#d', '/{jwt.sub}', '/%2e%2e/'])
      expect(fillPath(path, undefined)).toBe(path);
  });

  it('fills in strings, numbers and booleans', () => {
    const claims = '{"sub":"abc","n":7,"f":false,"zero":0,"a":{"b":"nested"}}';
    expect(fill('/u/{JWT.sub}/{JWT.n}.json?f={JWT.f}&z={JWT.zero}&s={JWT.sub}', claims)).toBe(
      '/u/abc/7.json?f=false&z=0&s=abc',
    );
    expect(fill('/u/{JWT.a.b}', claims)).toBe('/u/nested');
  });

  it('keeps every digit of a number', () => {
    expect(fill('/u/{JWT.id}', '{"id":9007199254740993}')).toBe('/u/9007199254740993');
    expect(fill('/u/{JWT.id}', '{"id":123456789012345678901234567890}')).toBe(
      '/u/123456789012345678901234567890',
    );
  });

  it('reads namespaced claims', () => {
    expect(fill('/t/{JWT.https://example.com/tenant}', '{"https://example.com/tenant":"x"}')).toBe(
      '/t/x',
    );
  });

  it.each([
    ['../', '/u/..%2F/p'],
    ['../../admin', '/u/..%2F..%2Fadmin/p'],
    ['a/b', '/u/a%2Fb/p'],
    ['a\\b', '/u/a%5Cb/p'],
    ['a?b=c', '/u/a%3Fb%3Dc/p'],
    ['a#b', '/u/a%23b/p'],
    ['a&b', '/u/a%26b/p'],
    ['%2e%2e', '/u/%252e%252e/p'],
    ['%2F', '/u/%252F/p'],
    ['a b', '/u/a%20b/p'],
    ['a\r\nX: y', '/u/a%0D%0AX%3A%20y/p'],
    ['\0', '/u/%00/p'],
    ['ä€😀', '/u/%C3%A4%E2%82%AC%F0%9F%98%80/p'],
    ['{JWT.sub}', '/u/%7BJWT.sub%7D/p'],
    ['$&', '/u/%24%26/p'],
    ['...', '/u/.../p'],
  ])('keeps %j inside its segment', (x, path) => {
    expect(fillPath('/u/{JWT.x}/p', { x })).toBe(path);
  });

  it.each(['.', '..'])('refuses a segment that becomes %j', (x) => {
    for (const template of ['/u/{JWT.x}', '/u/{JWT.x}/p', '/{JWT.x}?a=b', '/u/{JWT.x}{JWT.none}'])
      expect(() => fillPath(template, { x })).toThrow(refusal());
    expect(fillPath('/u/{JWT.x}.json', { x })).toBe(`/u/${x}.json`);
  });

  it('refuses a segment that two harmless values make up', () => {
    expect(() => fillPath('/u/{JWT.a}{JWT.b}', { a: '.', b: '.' })).toThrow(refusal());
    expect(() => fillPath('/u/.{JWT.a}/p', { a: '.' })).toThrow(refusal());
  });

  it.each(['""', 'null', '{}', '{"b":1}', '[]', '["a"]', '[1]', '"\\ud800"', '"a\\udc00b"'])(
    'refuses the value %s, naming the claim',
    (text) => {
      expect(() => fill('/u/{JWT.x}', `{"x":${text}}`)).toThrow(refusal("claim 'x'"));
    },
  );

  it('refuses a claim that is not there', () => {
    expect(() => fillPath('/u/{JWT.sub}', {})).toThrow(refusal("claim 'sub'"));
    expect(() => fillPath('/u/{JWT.sub}', undefined)).toThrow(refusal("claim 'sub'"));
    for (const name of ['__proto__', 'constructor', 'constructor.name', 'sub.length'])
      expect(() => fillPath(`/u/{JWT.${name}}`, { sub: 'a' })).toThrow(refusal(`'${name}'`));
  });

  it('never lets a claim change the shape of the URL', () => {
    const texts = fc.string({
      unit: fc.constantFrom(...Array.from('./\\?#%&;:@ ae2fF\0\t\u00e4')),
    });
    fc.assert(
      fc.property(texts, (x) => {
        let path: string;
        try {
          path = fillPath('/u/{JWT.x}/p', { x });
        } catch {
          return;
        }
        const url = new URL(`http://backend${path}`);
        expect(url.host + url.search + url.hash).toBe('backend');
        expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'u', x, 'p']);
      }),
      { numRuns: 2000 },
    );
  });
});
