import { describe, expect, it } from 'vitest';
import { rolesOf, scopesOf } from './claim-values.js';

describe('rolesOf', () => {
  it.each<[unknown, string[]]>([
    [
      ['a', 'b c', 'd,e'],
      ['a', 'b c', 'd,e'],
    ],
    [['a', 1, null, { b: true }, ['c']], ['a']],
    [
      [{ a: { '123': 'acme.example' } }, { b: {} }, 'c'],
      ['a', 'b', 'c'],
    ],
    [[{ name: 'a', enabled: true, level: 5, tags: ['b'] }], []],
    ['a', ['a']],
    ['a b', ['a', 'b']],
    ['a,b', ['a', 'b']],
    [' a, b\tc ,', ['a', 'b', 'c']],
    ['', []],
    [' , ', []],
    [{ a: { '123': 'acme.example' }, b: {} }, ['a', 'b']],
    [{ a: true, b: false, c: null, d: 0, e: 'true', f: 1, g: [] }, ['a']],
    [{}, []],
    [1, []],
    [true, []],
    [null, []],
    [undefined, []],
  ])('%j holds %j', (value, roles) => {
    expect(rolesOf(value)).toEqual(roles);
  });

  it('takes own members only', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true},"user":true}');
    expect(rolesOf(value)).toEqual(['__proto__', 'user']);
    expect(rolesOf(Object.create({ admin: true }))).toEqual([]);
  });
});

describe('scopesOf', () => {
  it.each<[unknown, string[]]>([
    ['read write', ['read', 'write']],
    // A comma may be part of a scope (RFC 6749 appendix A.4).
    ['read,write', ['read,write']],
    [
      ['read', 'write x', 1],
      ['read', 'write x'],
    ],
    [{ read: true }, []],
    [7, []],
  ])('%j holds %j', (value, scopes) => {
    expect(scopesOf(value)).toEqual(scopes);
  });
});
