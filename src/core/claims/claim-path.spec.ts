import { describe, expect, it } from 'vitest';
import { readClaim } from './claim-path.js';

const claims = (text: string): Record<string, unknown> =>
  JSON.parse(text) as Record<string, unknown>;

describe('readClaim', () => {
  it('reads a member by its name', () => {
    expect(readClaim({ sub: 'a', n: 0, f: false, z: null }, 'sub', false)).toBe('a');
    expect(readClaim({ z: null }, 'z', true)).toBeNull();
    expect(readClaim({ n: 0 }, 'n', true)).toBe(0);
    expect(readClaim({ sub: 'a' }, 'iss', true)).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'constructor.name'])(
    'finds no %s that the claims do not hold themselves',
    (name) => {
      expect(readClaim({ sub: 'a' }, name, true)).toBeUndefined();
      expect(readClaim({ a: {} }, `a.${name}`, true)).toBeUndefined();
    },
  );

  it('finds __proto__ and constructor where they are own members', () => {
    const own = claims('{"__proto__":{"x":1},"constructor":"c","a":{"__proto__":["r"]}}');
    expect(readClaim(own, '__proto__', false)).toEqual({ x: 1 });
    expect(readClaim(own, '__proto__.x', true)).toBe(1);
    expect(readClaim(own, 'constructor', true)).toBe('c');
    expect(readClaim(own, 'a.__proto__', true)).toEqual(['r']);
    // What is inside of __proto__ is not a claim of the level above it.
    expect(readClaim(own, 'x', true)).toBeUndefined();
  });

  it('goes down one level per dot, if asked to', () => {
    const nested = { realm: { access: { roles: ['r'] } } };
    expect(readClaim(nested, 'realm.access.roles', true)).toEqual(['r']);
    expect(readClaim(nested, 'realm.access.roles', false)).toBeUndefined();
    expect(readClaim(nested, 'realm.access.none', true)).toBeUndefined();
    expect(readClaim(nested, 'realm..roles', true)).toBeUndefined();
    expect(readClaim(nested, '.realm', true)).toBeUndefined();
    expect(readClaim({ '': { a: 1 } }, '.a', true)).toBe(1);
  });

  it('has one reading of a path: a flat claim of the same spelling does not count', () => {
    expect(readClaim({ 'a.b': 1, a: { b: 2 } }, 'a.b', true)).toBe(2);
    expect(readClaim({ 'a.b': 1 }, 'a.b', true)).toBeUndefined();
    expect(readClaim({ 'a.b': 1, a: { b: 2 } }, 'a.b', false)).toBe(1);
    expect(readClaim({ a: { b: 2 } }, 'a.b', false)).toBeUndefined();
  });

  it('takes an escaped dot for a part of a name', () => {
    const held = { resource_access: { 'my.client': { roles: ['r'] }, my: { client: 'x' } } };
    expect(readClaim(held, String.raw`resource_access.my\.client.roles`, true)).toEqual(['r']);
    expect(readClaim(held, 'resource_access.my.client', true)).toBe('x');
    expect(readClaim({ 'a.b': 1, a: { b: 2 } }, String.raw`a\.b`, true)).toBe(1);
    expect(readClaim({ 'a.b.c': { d: 1 } }, String.raw`a\.b\.c.d`, true)).toBe(1);
    // A backslash before anything else is a backslash, and without nesting it always is.
    expect(readClaim({ 'a\\b': { c: 1 } }, String.raw`a\b.c`, true)).toBe(1);
    expect(readClaim({ 'a\\b': 1 }, String.raw`a\b`, true)).toBe(1);
    expect(readClaim({ 'a\\.b': 1, 'a.b': 2 }, String.raw`a\.b`, false)).toBe(1);
  });

  it('never splits a namespaced name', () => {
    const name = 'https://example.com/roles';
    expect(readClaim({ [name]: ['r'] }, name, true)).toEqual(['r']);
    // The parts an attacker would have to get into a token to be taken for the namespaced claim.
    expect(readClaim({ 'https://example': { 'com/roles': ['r'] } }, name, true)).toBeUndefined();
    expect(readClaim({ 'HTTP://a': { b: 1 } }, 'HTTP://a.b', true)).toBeUndefined();
    expect(readClaim({ 'HTTP://a.b': 1 }, 'HTTP://a.b', true)).toBe(1);
  });

  it('goes into a namespaced claim whose dots are escaped', () => {
    const held = { 'https://example.com/claims': { roles: ['r'] } };
    expect(readClaim(held, String.raw`https://example\.com/claims.roles`, true)).toEqual(['r']);
    expect(readClaim(held, 'https://example.com/claims.roles', true)).toBeUndefined();
  });

  it('does not go into lists, texts and raw numbers', () => {
    expect(readClaim({ a: ['x'] }, 'a.0', true)).toBeUndefined();
    expect(readClaim({ a: ['x'] }, 'a.length', true)).toBeUndefined();
    expect(readClaim({ a: 'text' }, 'a.length', true)).toBeUndefined();
    expect(readClaim({ a: null }, 'a.b', true)).toBeUndefined();
    expect(readClaim({ a: [{ b: 1 }] }, 'a.b', true)).toBeUndefined();
  });
});
