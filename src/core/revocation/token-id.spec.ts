import { describe, expect, it } from 'vitest';
import { parseJsonExactly } from '../json/index.js';
import {
  deadFrom,
  newTokenIds,
  revocationSubject,
  sessionName,
  tokenDigest,
  type TokenNames,
} from './index.js';

const token = (claims: Record<string, unknown>, issuer?: string): TokenNames => ({
  claims,
  issuer,
  kid: 'k1',
  signingInput: 'h.p',
});

describe('newTokenIds', () => {
  it('makes UUIDs that begin alike for one answer, and differ all the same', () => {
    const [one, other] = [newTokenIds(), newTokenIds()];
    const ids = [one(), one(), other()];
    for (const id of ids)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(ids).size).toBe(3);
    expect(ids[1]?.slice(0, 24)).toBe(ids[0]?.slice(0, 24));
    expect(ids[2]?.slice(0, 24)).not.toBe(ids[0]?.slice(0, 24));
  });
});

describe('sessionName', () => {
  it('is the sid, with the issuer before it where that is another one', () => {
    expect(sessionName(token({ sid: 's', sub: 'u', iat: 1 }))).toBe('s');
    expect(sessionName(token({ sid: 's' }, 'https://a'))).toBe('"https://a" s');
  });

  it('is what the tokens of one answer have in common', () => {
    const ids = newTokenIds();
    const others = newTokenIds();
    const name = (jti: unknown, sub: unknown = 'u', iat: unknown = 5) =>
      sessionName(token({ jti, sub, iat }));
    expect(name(ids())).toBe(name(ids(), undefined, 6));
    expect(name(ids())).not.toBe(name(others()));
    // If the login service made the `jti`, the session is named by user and second.
    expect(name('a')).toBe(name('b'));
    expect(name('a')).not.toBe(name('a', 'v'));
    expect(name('a')).not.toBe(name('a', 'u', 6));
    expect(name('a', 'u', parseJsonExactly('5.000000000000000001'))).not.toBe(name('a'));
  });

  it('is none where nothing is in common', () => {
    expect(sessionName(token({ jti: 'a', iat: 5 }))).toBeUndefined();
    expect(sessionName(token({ jti: 'a', sub: 'u' }))).toBeUndefined();
    expect(sessionName(token({ sub: 'u', iat: 5 }, 'https://a'))).toBeUndefined();
  });
});

describe('revocationSubject', () => {
  it('holds the token itself, its jti, user, session and key', () => {
    const names = token({ jti: 'j', sub: 'u', sid: 's', iat: parseJsonExactly('1.5e0') });
    expect(revocationSubject(names)).toEqual({
      names: [
        { kind: 'jti', value: tokenDigest(names) },
        { kind: 'jti', value: 'j' },
        { kind: 'sub', value: 'u' },
        { kind: 'sid', value: 's' },
        { kind: 'kid', value: 'k1' },
      ],
      iat: 1.5,
    });
    expect(tokenDigest(names)).toMatch(/^sha256:[\w-]{43}$/);
    expect(tokenDigest({ signingInput: 'h.q' })).not.toBe(tokenDigest(names));
  });
});

describe('deadFrom', () => {
  it.each([
    [1000, 4600],
    [1000.000001, 4601],
    [Number.MAX_SAFE_INTEGER, 253_402_300_799],
    [1e300, 253_402_300_799],
    [undefined, 253_402_300_799],
  ])('%s: whole seconds, the longest leeway later, at most the year 9999', (exp, end) => {
    expect(deadFrom(exp)).toBe(end);
  });
});
