import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { CompactSign, importJWK, jwtVerify, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { JwtVerifier } from '../src/auth/index.js';
import type { JwsAlgorithm } from '../src/core/jws/index.js';
import { compilePolicy, type TokenPolicy } from '../src/core/verify/index.js';
import { JwkKeyStore } from '../src/jwks/index.js';
import { figure } from './helpers/run/figure.js';
import { generateJwk, publicHalf, writeKeys } from './helpers/issuers/keys.js';

/** How many tokens are tried: with the slow tests all of them, else enough to notice what is badly broken. */
const RUNS = inject('thorough')
  ? { valid: 700, hmac: 250_000, rest: 25_000, resigned: 8000 }
  : { valid: 100, hmac: 8000, rest: 1500, resigned: 800 };
const HMAC: readonly JwsAlgorithm[] = ['HS256', 'HS512'];
const REST: readonly JwsAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA', 'ES512'];
const ALGORITHMS = [...HMAC, ...REST];
const ISSUER = 'https://issuer';
const AUDIENCE = 'https://audience';

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const merge = (object: object, more: object): Record<string, unknown> => ({ ...object, ...more });

// What tokens are made of.

const CHARACTERS = Array.from('abcXYZ019 -_.:"/\'{}[]\u0000\u00e4\u20ac\u{1f600}');
/**
 * Without a backslash: the `JSON.parse` of Node 26.10 reads the member `x"` as `x\` once it has read an object with
 * `x\` in this place.
 */
const NAME = fc.constantFrom(...CHARACTERS);
const TEXT = fc.constantFrom(...CHARACTERS, '\\');
const text = (maxLength: number, unit = TEXT): fc.Arbitrary<string> =>
  fc.string({ unit, maxLength });
const ODD = fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e300, '', '1900000000', 2e9);
/** A JSON value, small and odd. */
const VALUE = fc.oneof(ODD, text(6), fc.jsonValue({ maxDepth: 3, stringUnit: NAME }));
/** Members under names that no check knows. */
const MEMBERS = fc.dictionary(
  text(3, NAME).map((name) => `x${name}`),
  VALUE,
  { maxKeys: 4 },
);
const CLAIMS = fc
  .record({
    members: MEMBERS,
    aud: fc.constantFrom<unknown>(AUDIENCE, [AUDIENCE], ['x', AUDIENCE]),
    later: fc.nat(1_000_000),
    jti: text(12),
    role: text(4),
  })
  .map(({ members, aud, later, jti, role }) =>
    merge(members, {
      iss: ISSUER,
      aud,
      exp: Math.floor(Date.now() / 1000) + 3600 + later,
      jti,
      roles: ['role_a', role],
    }),
  );

// How tokens are changed.

/** Changes a compact JWS; `other` is a second one to take parts from. */
type Mutate = (token: string, other: string) => fc.Arbitrary<string>;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const LETTERS = Array.from(ALPHABET);
const LETTER = fc.constantFrom(...LETTERS);
/** A place within a text. */
const within = (value: string): fc.Arbitrary<number> => fc.nat(Math.max(0, value.length - 1));

const always =
  (change: (token: string, other: string) => string): Mutate =>
  (token, other) =>
    fc.constant(change(token, other));
const atChar =
  (change: (char: string) => fc.Arbitrary<string>): Mutate =>
  (token) =>
    within(token).chain((at) =>
      change(token.charAt(at)).map((char) => token.slice(0, at) + char + token.slice(at + 1)),
    );
const atPart =
  (change: (part: string, other: string) => fc.Arbitrary<string>): Mutate =>
  (token, other) => {
    const parts = token.split('.');
    return fc
      .tuple(fc.nat(parts.length - 1), fc.constantFrom(...other.split('.')))
      .chain(([index, otherPart]) =>
        change(parts[index] ?? '', otherPart).map((part) => parts.with(index, part).join('.')),
      );
  };
/** Changes the JSON of the header (0) or the claims (1) and keeps the signature, or drops it. */
const atJson =
  (index: 0 | 1, change: (value: Record<string, unknown>) => fc.Arbitrary<unknown>): Mutate =>
  (token) => {
    const parts = [...token.split('.'), '', ''].slice(0, 3);
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(parts[index] ?? '', 'base64url').toString());
    } catch {
      value = undefined;
    }
    // After another mutation it may be anything.
    const object = typeof value === 'object' && value !== null ? value : {};
    return fc
      .tuple(change(object as Record<string, unknown>), fc.nat(3))
      .map(([changed, signature]) => {
        const json = typeof changed === 'string' ? changed : JSON.stringify(changed);
        const all = parts.with(index, encode(json));
        return (signature === 0 ? all.with(2, '') : all).join('.');
      });
  };
const respelled = (part: string): fc.Arbitrary<string> => {
  const json = Buffer.from(part, 'base64url').toString();
  return fc
    .constantFrom(
      ` ${json}`,
      `${json}\n`,
      json.replace(',', ' , '),
      json.replace('"alg"', '"al\\u0067"'),
      json.replace('{', '{"alg":"none",'),
      json.replace('}', ',"kid":"HS512"}'),
      `\ufeff${json}`,
    )
    .map(encode);
};

/** Every way of changing a token that a forger or a broken client has, by name. */
const MUTATIONS: readonly (readonly [name: string, mutate: Mutate])[] = [
  [
    'bit flip',
    atChar((char) => fc.nat(7).map((bit) => String.fromCharCode(char.charCodeAt(0) ^ (1 << bit)))),
  ],
  ['other letter', atChar(() => LETTER)],
  ['odd character', atChar(() => fc.constantFrom(...Array.from('+/=.% \t\n\0"{}é٠😀')))],
  [
    'inserted',
    atChar((char) =>
      fc.constantFrom(...LETTERS, '+', '/', '=', '.', ' ', '\n').map((more) => char + more),
    ),
  ],
  ['deleted', atChar(() => fc.constant(''))],
  ['wide twin', atChar((char) => fc.constant(String.fromCharCode(char.charCodeAt(0) + 0x100)))],
  [
    'zero width',
    atChar((char) => fc.constantFrom('\u200b', '\ufeff', '\ud800').map((more) => char + more)),
  ],
  [
    'swapped characters',
    (token) =>
      fc.tuple(within(token), within(token)).map((places) => {
        const [a = 0, b = 0] = places.toSorted((x, y) => x - y);
        if (a === b) return token;
        const [first, second] = [token.charAt(a), token.charAt(b)];
        return token.slice(0, a) + second + token.slice(a + 1, b) + first + token.slice(b + 1);
      }),
  ],
  ['cut at the end', (token) => within(token).map((length) => token.slice(0, length))],
  ['cut at the front', (token) => within(token).map((length) => token.slice(length + 1))],
  [
    'repeated range',
    (token) =>
      fc
        .tuple(within(token), fc.nat(19))
        .map(([at, more]) => token.slice(0, at + 1 + more) + token.slice(at)),
  ],
  ['too long', (token) => fc.nat(63).map((less) => token + 'A'.repeat(8192 - less))],
  [
    'part of another token',
    (token, other) =>
      fc.nat(2).map((index) => {
        const parts = [...token.split('.'), '', ''].slice(0, 3);
        return parts.with(index, other.split('.')[index] ?? '').join('.');
      }),
  ],
  ['any part of another token', atPart((_part, other) => fc.constant(other))],
  ['parts in another order', always((token) => token.split('.').toReversed().join('.'))],
  ['empty part', atPart(() => fc.constant(''))],
  ['two parts', always((token) => token.split('.').slice(0, 2).join('.'))],
  ['doubled dot', always((token) => token.replace('.', '..'))],
  ['dot in front', always((token) => `.${token}`)],
  ['dot behind', always((token) => `${token}.`)],
  ['fourth part', always((token, other) => `${token}.${other.split('.')[2] ?? ''}`)],
  ['no token', () => text(60)],
  ['padding', atPart((part) => fc.nat(2).map((more) => part + '='.repeat(1 + more)))],
  [
    'white space',
    atPart((part) => fc.constantFrom(' ', '\n', '\r\n', '\t', '\0').map((more) => part + more)),
  ],
  [
    'trailing bits',
    atPart((part) =>
      fc.nat(2).map((bits) => {
        const last = ALPHABET.indexOf(part.slice(-1));
        return part.slice(0, -1) + ALPHABET.charAt((last ^ (1 + bits)) & 63);
      }),
    ),
  ],
  ['alphabet of base64', always((token) => token.replaceAll('-', '+').replaceAll('_', '/'))],
  ['trailing letter', atPart((part) => fc.constant(`${part}A`))],
  ['encoded twice', atPart((part) => fc.constant(encode(part)))],
  [
    'percent encoded',
    atPart((part) => fc.constant(part.replace(/[A-Z]/, (c) => `%${c.charCodeAt(0).toString(16)}`))),
  ],
  [
    'other alg',
    atJson(0, (header) =>
      fc
        .constantFrom(
          'none',
          'None',
          'NONE',
          '',
          'HS256',
          'HS384',
          'HS512',
          'RS256',
          'PS256',
          'ES256',
          'EdDSA',
          'Ed25519',
          'ES256K',
          'A128KW',
          'constructor',
          null,
          1,
          ['HS256'],
        )
        .map((alg) => merge(header, { alg })),
    ),
  ],
  [
    'other kid',
    atJson(0, (header) =>
      fc
        .constantFrom('HS256', 'HS512', 'ES256', 'RS256', 'x', '', '../k', '__proto__', null, 0)
        .map((kid) => merge(header, { kid })),
    ),
  ],
  ['no kid', atJson(0, ({ alg, typ }) => fc.constant({ alg, typ }))],
  [
    'extended header',
    atJson(0, (header) =>
      fc
        .constantFrom<object>(
          { crit: ['exp'] },
          { crit: [] },
          { b64: false, crit: ['b64'] },
          { jwk: { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } },
          { jku: 'https://evil.example/jwks.json' },
          { x5u: 'https://evil.example/x.pem' },
          { x5c: ['MIIB'] },
          { zip: 'DEF' },
          { enc: 'A128GCM' },
          { cty: 'JWT' },
          { typ: 'evil' },
        )
        .map((more) => merge(header, more)),
    ),
  ],
  ['header that is no object', atJson(0, () => VALUE)],
  [
    'respelled header',
    (token) => {
      const [header = '', ...rest] = token.split('.');
      return respelled(header).map((changed) => [changed, ...rest].join('.'));
    },
  ],
  [
    'edited claims',
    atJson(1, (claims) =>
      fc
        .oneof(
          fc.constantFrom<object>(
            { roles: ['admin'] },
            { sub: 'admin' },
            { exp: 9_999_999_999 },
            { iss: 'https://evil.example' },
            { aud: [] },
            { jti: 'other' },
          ),
          fc.record({ x: VALUE }),
        )
        .map((more) => merge(claims, more)),
    ),
  ],
  ['claims that are no object', atJson(1, () => VALUE)],
  [
    'respelled claims',
    atJson(1, (claims) => fc.nat(1).map((spaces) => JSON.stringify(claims, null, spaces + 1))),
  ],
];

const MUTATION = fc.constantFrom(...MUTATIONS);

/** A changed token, and how it came about. */
function mutated(originals: readonly string[]): fc.Arbitrary<{ how: string; token: string }> {
  const original = fc.constantFrom(...originals);
  // Some mistakes only show behind another one.
  const second = fc.option(MUTATION, { freq: 9 });
  return fc
    .tuple(original, original, MUTATION, second)
    .chain(([token, other, [name, mutate], more]) =>
      mutate(token, other).chain((once) =>
        more === null
          ? fc.constant({ how: name, token: once })
          : more[1](once, token).map((twice) => ({ how: `${name}, ${more[0]}`, token: twice })),
      ),
    );
}

// What judges them.

const jwks = new Map<string, JWK>();
let store: JwkKeyStore;
let verifier: JwtVerifier;
let policy: TokenPolicy;
let tried = 0;

/** The claims as JSON, or `undefined` for a refusal; any other error is a 5xx and fails the test. */
async function accepted(token: string): Promise<string | undefined> {
  tried++;
  try {
    return JSON.stringify(await verifier.verify(token, policy));
  } catch (error) {
    if ((error as Error).name !== 'TokenRefusedError') throw error;
    return undefined;
  }
}

async function josePayload(token: string, kid: string): Promise<unknown> {
  const jwk = jwks.get(kid);
  if (jwk === undefined) throw new Error('no such key');
  const { payload } = await jwtVerify(token, await importJWK(publicHalf(jwk), jwk.alg), {
    algorithms: [jwk.alg ?? ''],
    issuer: ISSUER,
    audience: AUDIENCE,
    clockTolerance: 1,
    requiredClaims: ['exp'],
  });
  return payload;
}

async function joseSign(kid: string, header: object, payload: string | Buffer): Promise<string> {
  const jwk = jwks.get(kid);
  if (jwk === undefined) throw new Error('no such key');
  return new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: jwk.alg ?? '', kid, typ: 'JWT', ...header })
    .sign(await importJWK(jwk, jwk.alg));
}

/** Made by hand, so that the header can be anything. */
function hmacSign(kid: string, header: string, payload: string | Uint8Array): string {
  const input = `${encode(header)}.${Buffer.from(payload).toString('base64url')}`;
  const key = Buffer.from(jwks.get(kid)?.k ?? '', 'base64url');
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

/** The payload of a token that is good. */
const payloadOf = (): string => JSON.stringify(fc.sample(CLAIMS, 1)[0]);

beforeAll(async () => {
  for (const alg of ALGORITHMS) jwks.set(alg, await generateJwk(alg, alg));
  store = await JwkKeyStore.open({
    signing: { path: writeKeys([...jwks.values()]) },
    reloadIntervalMs: 0,
  });
  verifier = new JwtVerifier(store);
  policy = compilePolicy({}, { algorithms: ALGORITHMS, issuer: ISSUER, audience: AUDIENCE });
});
afterAll(() => {
  store?.onApplicationShutdown();
  figure(`mutation: ${tried} tokens tried`);
});

// A property that fails names the seed with which it fails again: `fc.assert(…, { seed, path })`.

describe('tokens that are right', () => {
  it('are accepted, by jose as well, with the same claims', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ALGORITHMS), CLAIMS, async (kid, claims) => {
        const token = await joseSign(kid, {}, JSON.stringify(claims));
        const ours = await accepted(token);
        expect({ token, ours }).toEqual({ token, ours: JSON.stringify(claims) });
        expect(await josePayload(token, kid)).toEqual(JSON.parse(ours ?? ''));
      }),
      { numRuns: RUNS.valid },
    );
  }, 60_000);
});

describe('tokens that were changed', () => {
  it.each([
    ['HMAC', HMAC, RUNS.hmac],
    ['the other algorithms', REST, RUNS.rest],
  ] as const)(
    'are refused, and nothing else happens: %s',
    async (_what, algorithms, numRuns) => {
      const originals: string[] = [];
      for (const kid of algorithms)
        for (const claims of fc.sample(CLAIMS, 12))
          originals.push(await joseSign(kid, {}, JSON.stringify(claims)));
      const unchanged = new Set(originals);
      await fc.assert(
        fc.asyncProperty(mutated(originals), async ({ how, token }) => {
          const isTaken = (await accepted(token)) !== undefined;
          if (isTaken !== unchanged.has(token)) throw new Error(`accepted after: ${how}`);
        }),
        { numRuns },
      );
      // The originals did not become invalid meanwhile, which would make all of this easy to pass.
      for (const token of originals)
        expect({ token, ours: await accepted(token) }).not.toEqual({ token, ours: undefined });
    },
    180_000,
  );

  it('are refused when a public key was used as an HMAC secret', async () => {
    const payload = payloadOf();
    for (const kid of REST) {
      const key = store.verificationKeys({ alg: kid, kid })[0]?.verifying;
      if (key === undefined) throw new Error('a test key cannot verify');
      const secrets = [
        key.export({ type: 'spki', format: 'pem' }),
        key.export({ type: 'spki', format: 'pem' }).toString().trim(),
        key.export({ type: 'spki', format: 'der' }),
        Buffer.from(jwks.get(kid)?.n ?? jwks.get(kid)?.x ?? '', 'base64url'),
        JSON.stringify(publicHalf(jwks.get(kid) ?? { kty: '' })),
        '',
      ];
      for (const [alg, hash] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
      ] as const)
        for (const secret of secrets) {
          const input = `${encode({ alg, kid, typ: 'JWT' })}.${encode(payload)}`;
          const token = `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
          expect({ token, ours: await accepted(token) }).toEqual({ token });
        }
    }
  });

  it('are refused when the signer of one key names another', async () => {
    const payload = payloadOf();
    for (const signer of ALGORITHMS)
      for (const named of ALGORITHMS) {
        const token = await joseSign(signer, { kid: named }, payload);
        const result = await accepted(token);
        expect({ token, taken: result !== undefined }).toEqual({ token, taken: signer === named });
      }
  });

  it('are refused when S of EdDSA was replaced by S + L', async () => {
    // RFC 8032 section 5.1.7: without the range check a token would have a second signature.
    const L = 2n ** 252n + 27742317777372353535851937790883648493n;
    const token = await joseSign('EdDSA', {}, payloadOf());
    expect(await accepted(token)).toBeDefined();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString('hex')}`) + L;
    bytes.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex').toReversed(), 32);
    const second = `${header}.${payload}.${bytes.toString('base64url')}`;
    expect(second).not.toBe(token);
    expect(await accepted(second)).toBeUndefined();
  });
});

describe('tokens with a good signature over anything', () => {
  const json = CLAIMS.map((claims) => JSON.stringify(claims));
  /** The claims with one of these members replaced. */
  const withOdd = (...names: string[]): fc.Arbitrary<string> =>
    fc
      .tuple(CLAIMS, fc.constantFrom(...names), VALUE)
      .map(([claims, name, value]) => JSON.stringify({ ...claims, [name]: value }));
  const PAYLOAD = fc.oneof(
    json,
    fc.tuple(CLAIMS, MEMBERS).map((parts) => JSON.stringify(Object.assign({}, ...parts))),
    withOdd('exp', 'nbf', 'iat'),
    withOdd('iss', 'aud'),
    fc
      .tuple(json, fc.constantFrom('1e400', '1e9999', '-1e400', '9e99'))
      .map(([good, exp]) => good.replace(/"exp":\d+/, `"exp":${exp}`)),
    json.chain((good) => within(good).map((length) => good.slice(0, length))),
    fc.tuple(json, fc.constantFrom(' ', '\n', '}', '\0', ',')).map((parts) => parts.join('')),
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(
      '['.repeat(2500) + ']'.repeat(2500),
      `{"iss":${'['.repeat(1500)}${']'.repeat(1500)},"exp":9999999999}`,
    ),
  );
  const HEADER = fc.constantFrom(
    '{"alg":"HS256","kid":"HS256","typ":"JWT"}',
    '{"alg":"HS256","kid":"HS256"}',
    '{ "typ":"at+jwt",\n"kid":"HS256","alg":"HS256","x":{"y":[1,{"alg":"none"}]}}',
  );

  it('lead to claims that jose accepts too, or to a refusal', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(HEADER, PAYLOAD, async (header, payload) => {
        const token = hmacSign('HS256', header, payload);
        const ours = await accepted(token);
        if (ours === undefined) return;
        taken++;
        const theirs = await josePayload(token, 'HS256');
        expect({ token, claims: theirs }).toEqual({ token, claims: JSON.parse(ours) as unknown });
      }),
      { numRuns: RUNS.resigned },
    );
    expect(taken).toBeGreaterThan(RUNS.resigned / 20);
  }, 60_000);

  it.each([
    '{"alg":"HS256","kid":"HS256","crit":["exp"],"exp":1}',
    '{"alg":"HS256","kid":"HS256","crit":[]}',
    '{"alg":"HS256","kid":"HS256","b64":true}',
    '{"alg":"HS256","kid":"HS256","b64":false,"crit":["b64"]}',
    '{"alg":"HS256","kid":"HS256","typ":"rt+jwt"}',
    '{"alg":"HS256","kid":"HS256","typ":""}',
    '{"alg":"HS256","kid":"HS256","typ":null}',
    '{"alg":"HS256","kid":"HS256","kid":"HS256"}',
    '{"alg":"none","al\\u0067":"HS256","kid":"HS256"}',
    '{"alg":"HS256","kid":"hs256"}',
    '{"alg":"HS256","kid":["HS256"]}',
    '{"alg":"hs256","kid":"HS256"}',
    '{"alg":"HS256 ","kid":"HS256"}',
    '{"alg":"HS384","kid":"HS512"}',
    '{"alg":"__proto__","kid":"HS256"}',
    '{"alg":"HS256","kid":"__proto__"}',
    '\ufeff{"alg":"HS256","kid":"HS256"}',
  ])('are refused with the header %s', async (header) => {
    const payload = payloadOf();
    const plain = hmacSign('HS256', '{"alg":"HS256","kid":"HS256"}', payload);
    expect(await accepted(plain)).toBeDefined();
    expect(await accepted(hmacSign('HS256', header, payload))).toBeUndefined();
  });
});
