import { describe, expect, it } from 'vitest';
import { parseJsonExactly } from '../json/index.js';
import { withTokenMetadata } from './token-metadata.js';

const NOW = 1_800_000_000;

describe('withTokenMetadata', () => {
  it('adds token_type and expires_in behind what is there', () => {
    const answer = Object.freeze({ access_token: 't', x: 1 });
    expect(JSON.stringify(withTokenMetadata(answer, { exp: NOW + 600 }, NOW))).toBe(
      '{"access_token":"t","x":1,"token_type":"Bearer","expires_in":600}',
    );
  });

  it('overwrites nothing', () => {
    const answer = { access_token: 't', token_type: 'DPoP', expires_in: null };
    expect(withTokenMetadata(answer, { exp: NOW + 600 }, NOW)).toEqual(answer);
    for (const promised of [601, 1e300, parseJsonExactly('601.0')])
      expect(withTokenMetadata({ expires_in: promised }, { exp: NOW + 600 }, NOW)).toMatchObject({
        expires_in: 600,
      });
    expect(withTokenMetadata({ expires_in: 1 }, { exp: NOW + 600 }, NOW)).toEqual({
      expires_in: 1,
      token_type: 'Bearer',
    });
  });

  it('says of a token that is bound to a key what it is (RFC 9449 section 5)', () => {
    const access = { exp: NOW + 600, cnf: { jkt: 'k' } };
    for (const answer of [{}, { token_type: 'Bearer' }])
      expect(withTokenMetadata(answer, access, NOW)).toHaveProperty('token_type', 'DPoP');
    const byCertificate = { exp: NOW + 600, cnf: { 'x5t#S256': 'c' } };
    expect(withTokenMetadata({}, byCertificate, NOW)).toHaveProperty('token_type', 'Bearer');
  });

  it('adds nothing when no access token was signed', () => {
    expect(withTokenMetadata({ receipt: 't' }, undefined, NOW)).toEqual({ receipt: 't' });
  });

  it('says whole seconds, never more than are left and never less than none', () => {
    expect(withTokenMetadata({}, { exp: NOW + 59.9 }, NOW)).toHaveProperty('expires_in', 59);
    expect(withTokenMetadata({}, { exp: NOW - 10 }, NOW)).toHaveProperty('expires_in', 0);
    const raw = parseJsonExactly('1800000600.000000001');
    expect(withTokenMetadata({}, { exp: raw }, NOW)).toHaveProperty('expires_in', 600);
  });
});
