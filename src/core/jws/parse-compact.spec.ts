import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { TokenRefusedError } from '../errors/index.js';
import { compactForm, flattenedForm, MAX_TOKEN_LENGTH, parseCompact } from './parse-compact.js';

const encode = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64url');
const HEADER = '{"alg":"HS256","kid":"k1","typ":"JWT"}';
const PAYLOAD = '{"sub":"a"}';
const withHeader = (header: string | Uint8Array): string =>
  `${encode(header)}.${encode(PAYLOAD)}.${encode('signature')}`;
const TOKEN = withHeader(HEADER);
/** The code of the refusal, or `accepted`. */
function verdict(token: string, maxLength?: number): string {
  try {
    parseCompact(token, maxLength);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return error.code;
  }
}

describe('compactForm', () => {
  it('has one JSON form of a token, and leaves everything else as it is', () => {
    const full = flattenedForm('aA', 'b-', 'c_');
    expect(full).toBe('{"payload":"b-","protected":"aA","signature":"c_"}');
    expect(compactForm(full)).toBe('aA.b-.c_');
    for (const other of [
      'aA.b-.c_',
      '',
      '{}',
      ` ${full}`,
      `${full}\n`,
      full.replace(',', ', '),
      full.replace('}', ',"header":{"alg":"none"}}'),
      full.replace('}', ',"payload":"x"}'),
      full.replace('"b-"', '"b.d"'),
      full.replace('"b-"', '""'),
      full.replace('payload', 'p\\u0061yload'),
      '{"protected":"aA","payload":"b-","signature":"c_"}',
      `[${full}]`,
    ])
      expect(compactForm(other)).toBe(other);
  });
});

describe('parseCompact', () => {
  it('takes a token apart without changing a byte', () => {
    const { header, payload, signature, signingInput } = parseCompact(TOKEN);
    expect(header).toEqual({ alg: 'HS256', kid: 'k1', typ: 'JWT' });
    expect(payload.toString()).toBe(PAYLOAD);
    expect(signature.toString()).toBe('signature');
    expect(signingInput).toBe(TOKEN.slice(0, TOKEN.lastIndexOf('.')));
  });

  it('leaves kid and typ undefined where the header has none', () => {
    expect(parseCompact(withHeader('{"alg":"ES256"}')).header).toEqual({ alg: 'ES256' });
  });

  it('reads a header once, also after a flood of others, and never one that is refused', () => {
    const read = vi.spyOn(JSON, 'parse');
    const times = (token: string): number => {
      read.mockClear();
      verdict(token);
      return read.mock.calls.length;
    };
    const token = withHeader('{"alg":"HS256","kid":"read once","typ":"JWT"}');
    const long = withHeader(`{"alg":"HS256","kid":"${'x'.repeat(1000)}"}`);
    const bad = withHeader('{"alg":"HS256","crit":["x"]}');
    expect([times(token), times(token), times(token)]).toEqual([1, 0, 0]);
    expect([times(long), times(long), times(bad), times(bad)]).toEqual([1, 1, 1, 1]);
    const others = Array.from({ length: 1000 }, (_, i) =>
      times(withHeader(`{"alg":"HS256","kid":"${i}"}`)),
    );
    expect(others).toEqual(others.map(() => 1));
    expect([times(token), times(token)]).toEqual([1, 0]);
    expect(Object.isFrozen(parseCompact(token).header)).toBe(true);
    read.mockRestore();
  });

  it('of a known header is refused for its other parts', () => {
    expect(verdict(TOKEN)).toBe('accepted');
    const [header = '', payload = '', signature = ''] = TOKEN.split('.');
    for (const other of [
      `${header}=.${payload}.${signature}`,
      `${header}A.${payload}.${signature}`,
      `${header}.${payload}=.${signature}`,
      `${header}.${payload}.${signature}!`,
      `${header}.${payload}`,
    ])
      expect(verdict(other)).toBe('token_malformed');
  });

  it('hands on nothing that could lead to a foreign key', () => {
    const header = '{"alg":"RS256","jku":"https://evil","jwk":{"kty":"oct"},"x5c":[],"x5u":"u"}';
    const names = Object.keys(parseCompact(withHeader(header)).header);
    expect(names).toContain('alg');
    expect(names.filter((name) => /^(jku|jwk|x5c|x5u)$/.test(name))).toEqual([]);
  });

  it('looks at no more than 16384 characters, or what it is told', () => {
    const [header = '', , signature = ''] = TOKEN.split('.');
    const payloadOf = (length: number): string =>
      'A'.repeat(length - header.length - signature.length - 2);
    expect(MAX_TOKEN_LENGTH).toBe(16_384);
    for (const limit of [undefined, 200, 100_000]) {
      // A length that base64url can have, so that only the limit decides.
      const longest = [0, 1, 2]
        .map((less) => (limit ?? MAX_TOKEN_LENGTH) - less)
        .find((length) => payloadOf(length).length % 4 !== 1) as number;
      const token = `${header}.${payloadOf(longest)}.${signature}`;
      expect(parseCompact(token, limit).payload.length).toBeGreaterThan(longest / 2);
      expect(verdict(token.replace('.', '.AAAA'), limit)).toBe('token_malformed');
      expect(verdict(token.replace('.', '.AAAA'), longest + 4)).toBe('accepted');
    }
  });

  it.each([
    ['nothing', ''],
    ['one part', 'abcd'],
    ['two parts', TOKEN.split('.').slice(0, 2).join('.')],
    ['four parts', `${TOKEN}.AAAA`],
    ['five parts, a JWE', `${TOKEN}.AAAA.AAAA`],
    ['a dot in front', `.${TOKEN}`],
    ['a dot behind', `${TOKEN}.`],
    ['a doubled dot', TOKEN.replace('.', '..')],
    ['an empty header', TOKEN.slice(TOKEN.indexOf('.'))],
    ['dots only', '..'],
    ['a blank in front', ` ${TOKEN}`],
    ['a line break behind', `${TOKEN}\n`],
    ['the flattened JSON serialization', JSON.stringify({ payload: 'AA', signature: 'AA' })],
  ])('refuses %s', (_what, token) => {
    expect(verdict(token)).toBe('token_malformed');
  });

  it.each([0, 1, 2])('refuses a second spelling of part %i', (index) => {
    for (const respell of [
      (part: string) => `${part}=`,
      (part: string) => `${part}==`,
      (part: string) => `${part} `,
      (part: string) => `${part.slice(0, 4)}\n${part.slice(4)}`,
      (part: string) => `${part}A`.slice(0, part.length + (part.length % 4 === 0 ? 1 : 0)) + '+/',
      // One byte and four stray bits more than a lenient decoder would notice.
      (part: string) => part.slice(0, part.length - (part.length % 4)) + 'AB',
    ]) {
      const parts = TOKEN.split('.');
      parts[index] = respell(parts[index] ?? '');
      expect(verdict(parts.join('.'))).toBe('token_malformed');
    }
  });

  it.each([
    ['an array', '["alg"]'],
    ['a string', '"alg"'],
    ['null', 'null'],
    ['a number', '1'],
    ['no JSON', '{alg:"HS256"}'],
    ['JSON with a tail', `${HEADER}{}`],
    ['a byte order mark', `\ufeff${HEADER}`],
    ['no alg', '{"kid":"k1"}'],
    ['an inherited alg', '{"__proto__":{"alg":"HS256"},"kid":"k1"}'],
    ['alg as an array', '{"alg":["HS256"]}'],
    ['alg null', '{"alg":null}'],
    ['kid as a number', '{"alg":"HS256","kid":1}'],
    ['kid null', '{"alg":"HS256","kid":null}'],
    ['typ as an object', '{"alg":"HS256","typ":{}}'],
    ['crit', '{"alg":"HS256","crit":["exp"],"exp":1}'],
    ['an empty crit', '{"alg":"HS256","crit":[]}'],
    ['b64 false', '{"alg":"HS256","b64":false}'],
    ['b64 true', '{"alg":"HS256","b64":true}'],
    ['b64 by escape', '{"alg":"HS256","b\\u00364":true}'],
    ['alg twice', '{"alg":"HS256","alg":"none"}'],
    ['alg twice, once escaped', '{"alg":"HS256","al\\u0067":"none"}'],
    ['kid twice, equal', '{"alg":"HS256","kid":"a","kid":"a"}'],
    ['a member twice, further down', '{"alg":"HS256","x":[{"y":1,"y":2}]}'],
    ['__proto__ twice', '{"alg":"HS256","__proto__":1,"__proto__":2}'],
  ])('refuses a header that is %s', (_what, header) => {
    expect(verdict(withHeader(header))).toBe('token_malformed');
  });

  it('is not confused by colons, quotes and escapes inside strings of the header', () => {
    const header = JSON.stringify({ alg: 'HS256', kid: 'a:"b\\":{"kid":1}', x: ['{"a":1}'] });
    expect(parseCompact(withHeader(header)).header.kid).toBe('a:"b\\":{"kid":1}');
  });

  it.each([
    ['a stray continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
  ])('refuses a header with %s', (_what, bytes) => {
    // A lenient decoder turns each of them into U+FFFD, so two byte sequences would be one header.
    const header = Buffer.concat([
      Buffer.from('{"alg":"HS256","kid":"'),
      Buffer.from(bytes),
      Buffer.from('"}'),
    ]);
    expect(verdict(withHeader(header))).toBe('token_malformed');
  });

  it('survives a header nested as deep as fits', () => {
    const depth = 2900;
    expect(verdict(withHeader('['.repeat(depth) + ']'.repeat(depth)))).toBe('token_malformed');
    const nested = `{"alg":"HS256","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(parseCompact(withHeader(nested)).header.alg).toBe('HS256');
  });

  it('throws nothing but TokenRefusedError, and what it accepts has one spelling', () => {
    const noise = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...Array.from('.=+/-_ AQgw')) }),
      fc.json().map(withHeader),
      fc.tuple(fc.nat(TOKEN.length), fc.string({ maxLength: 3 })).map(([at, text]) => {
        return TOKEN.slice(0, at) + text + TOKEN.slice(at + 1);
      }),
    );
    fc.assert(
      fc.property(noise, (token) => {
        const result = verdict(token);
        expect(['accepted', 'token_malformed']).toContain(result);
        if (result !== 'accepted') return;
        const { signingInput, signature, payload } = parseCompact(token);
        expect(`${signingInput}.${encode(signature)}`).toBe(token);
        expect(signingInput.endsWith(`.${encode(payload)}`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
