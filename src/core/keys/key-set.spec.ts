import type { JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateJwk, publicHalf } from '../../../test/helpers/issuers/keys.js';
import { KeyError } from './key.error.js';
import { KeySet } from './key-set.js';

let ec: JWK, rsa: JWK, hs: JWK;
beforeAll(async () => {
  [ec, rsa, hs] = await Promise.all([
    generateJwk('ES256', 'ec'),
    generateJwk('RS256', 'rsa'),
    generateJwk('HS256', 'hs'),
  ]);
});

const parse = (value: unknown): KeySet => KeySet.parse(JSON.stringify(value), 'test.json');
const AES = { kty: 'oct', alg: 'A128KW', k: 'GawgguFyGrWKav7AX4VKUg', kid: 'aes' };

function problemOf(text: string): string {
  try {
    KeySet.parse(text, 'test.json');
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return error.message;
  }
  return 'no problem';
}

describe('KeySet.parse', () => {
  it('finds keys by exact kid', () => {
    const set = parse({ keys: [ec, rsa, hs] });
    expect(set.all().map(({ kid }) => kid)).toEqual(['ec', 'rsa', 'hs']);
    expect(set.get('rsa')?.kty).toBe('RSA');
    for (const kid of ['RSA', 'rs', '__proto__', 'constructor', ''])
      expect(set.get(kid)).toBeUndefined();
  });

  it('accepts a single JWK', () => {
    expect(parse(ec).get('ec')?.crv).toBe('P-256');
  });

  it.each([
    ['no JSON', '{"keys":[', /not valid JSON/],
    ['nothing', '', /not valid JSON/],
    ['a list', '[]', /neither a JWK Set nor a JWK/],
    ['a string', '"keys"', /neither a JWK Set nor a JWK/],
    ['null', 'null', /neither a JWK Set nor a JWK/],
    ['keys that is no list', '{"keys":{}}', /'keys' is not a list/],
    ['keys null', '{"keys":null}', /'keys' is not a list/],
    ['an empty set', '{"keys":[]}', /there is no key/],
    ['an empty object', '{}', /no 'kid'/],
    ['a set with a text', '{"keys":["a"]}', /not a JSON object/],
  ])('refuses %s', (_what, text, reason) => {
    expect(problemOf(text)).toMatch(reason);
    expect(problemOf(text)).toMatch(/^test\.json: /);
  });

  it('quotes nothing of a file that is not JSON', () => {
    // V8's message would hold the text around the error.
    const message = problemOf(`{"keys":[{"kty":"oct","k":"${hs.k}}]}`);
    expect(message).toBe('test.json: not valid JSON');
  });

  it('refuses a member that is there twice, also escaped', () => {
    const text = JSON.stringify({ keys: [hs] });
    expect(problemOf(text)).toBe('no problem');
    for (const extra of ['"kid":"other",', '"ki\\u0064":"other",', '"kid":"hs",'])
      expect(problemOf(text.replace('"kty"', `${extra}"kty"`))).toMatch(/names a member twice/);
    expect(problemOf(`{"keys":[],${text.slice(1)}`)).toMatch(/names a member twice/);
  });

  it('refuses a set as a whole when one key is bad', () => {
    const message = problemOf(JSON.stringify({ keys: [ec, { ...hs, kid: 'short', k: 'AAAA' }] }));
    expect(message).toMatch(/^test\.json: kid 'short' has a secret of 3 bytes/);
  });

  it('refuses a kid that is there twice, in every order', () => {
    const twice: [object, object][] = [
      [ec, { ...rsa, kid: 'ec' }],
      [ec, publicHalf(ec)],
      [{ ...AES, kid: 'ec' }, ec],
      [ec, { ...AES, kid: 'ec' }],
    ];
    for (const keys of twice)
      expect(problemOf(JSON.stringify({ keys }))).toMatch(/kid 'ec' is there twice/);
  });

  it('skips keys of other kinds and keeps the reason', () => {
    const set = parse({ keys: [AES, { kty: 'AKP', kid: 'pq' }, hs] });
    expect(set.all().map(({ kid }) => kid)).toEqual(['hs']);
    expect(set.skipped).toMatchObject([
      { kid: 'aes' },
      { kid: 'pq', reason: expect.stringMatching(/of kty AKP is not supported/) as string },
    ]);
    expect(set.get('aes')).toBeUndefined();
  });

  it('publishes the public halves and nothing of secrets', () => {
    const { publicJwks } = parse({ keys: [hs, ec, AES, rsa] });
    expect(publicJwks).toEqual([publicHalf(ec), publicHalf(rsa)]);
  });
});

it('a file whose only key is skipped says why nothing signs', () => {
  const ed448 = { kty: 'OKP', crv: 'Ed448', kid: 'e', x: 'A'.repeat(76), d: 'A'.repeat(76) };
  const set = KeySet.parse(JSON.stringify(ed448), 'keys.json');
  expect(() => set.signer('EdDSA', 'auto')).toThrow(
    /has 0 active keys for EdDSA.*; kid 'e' is skipped: curve 'Ed448' does not sign/,
  );
});
