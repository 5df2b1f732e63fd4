import { describe, expect, it } from 'vitest';
import { missingProfileClaims, normalizeType } from './token-type.js';

describe('normalizeType', () => {
  it('knows media types with and without their first part, in any case', () => {
    expect(normalizeType('AT+JWT')).toBe('at+jwt');
    expect(normalizeType('application/at+jwt')).toBe('at+jwt');
    expect(normalizeType('Application/JWT')).toBe('jwt');
    expect(normalizeType('application/x/jwt')).toBe('application/x/jwt');
    expect(normalizeType('text/jwt')).toBe('text/jwt');
  });
});

describe('missingProfileClaims', () => {
  const complete = { iss: 'i', exp: 1, aud: 'a', sub: 's', client_id: 'c', iat: 0, jti: 'j' };

  it('names each of the seven claims that is not there', () => {
    expect(missingProfileClaims(complete)).toEqual([]);
    expect(missingProfileClaims({})).toEqual(Object.keys(complete));
    for (const name of Object.keys(complete)) {
      expect(missingProfileClaims({ ...complete, [name]: null })).toEqual([name]);
      expect(missingProfileClaims({ ...complete, [name]: undefined })).toEqual([name]);
    }
    expect(missingProfileClaims(Object.create(complete) as object as never)).toHaveLength(7);
  });
});
