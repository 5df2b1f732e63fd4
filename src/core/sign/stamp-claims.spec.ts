import { describe, expect, it } from 'vitest';
import { parseJsonExactly } from '../json/index.js';
import { stampClaims, type Stamp } from './stamp-claims.js';

const NOW = 1_800_000_000;
const STAMP: Stamp = {
  ttl: 600,
  issuer: 'https://issuer',
  audience: 'https://api',
  staleExp: 'reject',
};
const claimsOf = (text: string): Record<string, unknown> =>
  parseJsonExactly(text) as Record<string, unknown>;
const stamp = (claims: Record<string, unknown>, options: Partial<Stamp> = {}) =>
  stampClaims(claims, 'access_token', { ...STAMP, ...options }, NOW);
const refusal = (code: string, explanation: RegExp) =>
  expect.objectContaining({
    name: 'SigningError',
    code,
    explanation: expect.stringMatching(explanation) as string,
  }) as Error;

describe('stampClaims', () => {
  it('stamps what is absent', () => {
    const stamped = stamp({ sub: 'a' });
    expect(stamped).toEqual({
      sub: 'a',
      exp: NOW + 600,
      iat: NOW,
      jti: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      iss: 'https://issuer',
      aud: 'https://api',
    });
    expect(stamp({ sub: 'a' }).jti).not.toBe(stamped.jti);
  });

  it('overwrites nothing, and leaves its input alone', () => {
    const claims = Object.freeze({
      exp: NOW + 1,
      iat: 5,
      jti: 'j',
      iss: 'i',
      aud: 'a',
      nbf: 7,
      sub: 's',
    });
    expect(JSON.stringify(stamp(claims))).toBe(JSON.stringify(claims));
    // An empty value is not absent: the backend wants exactly that.
    expect(stamp({ jti: '', iss: '', aud: [] })).toMatchObject({ jti: '', iss: '', aud: [] });
  });

  it('stamps no iss without an issuer, and no aud without an audience', () => {
    const stamped = stamp({}, { issuer: undefined, audience: undefined });
    expect(Object.keys(stamped)).toEqual(['exp', 'iat', 'jti']);
  });

  it('is not misled by __proto__', () => {
    const stamped = stamp(claimsOf('{"__proto__":{"exp":1,"jti":"x"},"sub":"a"}'));
    expect(stamped).toMatchObject({ exp: NOW + 600, iat: NOW });
    expect(Object.keys(stamped)).toContain('__proto__');
    expect(Object.hasOwn(stamped, 'jti')).toBe(true);
    expect(Object.getPrototypeOf(stamped)).toBe(Object.prototype);
  });

  // exp is the moment from which on the token is expired, so exp = now is past.
  it.each([NOW, NOW - 1, 0, -5])('rejects, renews or keeps exp %i', (exp) => {
    expect(() => stamp({ exp })).toThrow(refusal('claims_expired', /access_token\.exp is past/));
    expect(stamp({ exp }, { staleExp: 'renew' }).exp).toBe(NOW + 600);
    expect(stamp({ exp }, { staleExp: 'keep' }).exp).toBe(exp);
  });

  it.each(['reject', 'renew', 'keep'] as const)('leaves a future exp with %s', (staleExp) => {
    expect(stamp({ exp: NOW + 1 }, { staleExp }).exp).toBe(NOW + 1);
    expect(stamp({ exp: NOW + 0.5 }, { staleExp }).exp).toBe(NOW + 0.5);
  });

  it('refuses claims of a type that no validator takes', () => {
    for (const name of ['sub', 'jti', 'sid', 'iss', 'aud'])
      for (const value of ['5', 'null', '{"a":1}', '9007199254740993', '[5]'])
        expect(() => stamp(claimsOf(`{"${name}":${value}}`))).toThrow(
          refusal('claims_invalid', new RegExp(`access_token\\.${name} is not a string`)),
        );
    expect(stamp({ sub: 'u', jti: 'j', sid: 's', iss: 'i', aud: ['a', 'b'] }).aud).toHaveLength(2);
  });

  it.each(['exp', 'nbf', 'iat'])('refuses a %s that is not a finite number', (name) => {
    for (const value of ['1e400', '-1e400', '"1900000000"', 'null', 'true', '[1900000000]', '{}'])
      for (const staleExp of ['reject', 'renew', 'keep'] as const)
        expect(() => stamp(claimsOf(`{"${name}":${value}}`), { staleExp })).toThrow(
          refusal('sign_target_invalid', new RegExp(`access_token\\.${name} is not a finite`)),
        );
  });

  it.each(['exp', 'nbf', 'iat', 'auth_time'])('refuses a %s that is not in seconds', (name) => {
    for (const value of [
      '1795789953123',
      '1795789953123.5',
      '1.795789953123e12',
      '253402300799000',
    ])
      expect(() => stamp(claimsOf(`{"${name}":${value}}`))).toThrow(
        refusal('claims_invalid', new RegExp(`access_token\\.${name} is a time in milliseconds`)),
      );
    for (const [unit, value] of [
      ['microseconds', '1795789953123456'],
      ['microseconds', '1.795789953123456e15'],
      ['nanoseconds', '1795789953123456789'],
    ] as const)
      expect(() => stamp(claimsOf(`{"${name}":${value}}`))).toThrow(
        refusal('claims_invalid', new RegExp(`access_token\\.${name} is a time in ${unit}`)),
      );
    for (const value of ['1795789953.123456789', '9007199254740993', '1e+300', '99999999999'])
      expect(
        JSON.stringify(stamp(claimsOf(`{"${name}":${value}}`), { staleExp: 'keep' })),
      ).toContain(`"${name}":${value}`);
  });

  it('passes raw numbers digit by digit', () => {
    const text = '{"exp":1900000000.000000001,"iat":1.7000000000000000001e9,"id":9007199254740993}';
    const stamped = stamp(claimsOf(text));
    expect(JSON.stringify(stamped)).toContain(text.slice(1, -1));
    expect(() => stamp(claimsOf('{"exp":1700000000.000000001}'))).toThrow(
      refusal('claims_expired', /past/),
    );
  });
});
