import { generateKeyPairSync, randomBytes, X509Certificate, type JsonWebKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JwsAlgorithm } from '../jws/index.js';
import { KeyError, KeySet, thumbprint } from './index.js';

type Jwk = JsonWebKey & Record<string, unknown>;

const publicJwk = (pair: { publicKey: { export(options: { format: 'jwk' }): JsonWebKey } }): Jwk =>
  pair.publicKey.export({ format: 'jwk' });
/** DER in base64, self-signed, of a key that nobody has. */
const CERTIFICATE =
  'MIIBdDCCARugAwIBAgIUYD/zdrtCJQu5WxZ/SRLJbuqx9p4wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjcxNjA3MTNaGA8yMTI2MTEwMzE2MDcxM1owDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPGgKcVRKOPPckEk7ljAsk+ci51usVg6ITSC0Iwk3C3131ROMWIlFxJcE7bi+OL32IiT1i68fD5P6gHVjkskNGSjUzBRMB0GA1UdDgQWBBRK8jqCEMMfUh5FlFRpfdwJOSU44TAfBgNVHSMEGDAWgBRK8jqCEMMfUh5FlFRpfdwJOSU44TAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIGXnUKoQvbL6kdjlLLsT+mO9NUFneQIhls9DQNn3DmCHAiBdnV9TOuCEH5b4PMWwswf3t0X5AzSJ2Pzm46gaVSVUBw==';
const GOOD: Jwk = {
  ...publicJwk(generateKeyPairSync('rsa', { modulusLength: 2048 })),
  kid: 'good',
  alg: 'RS256',
  use: 'sig',
};
const RSA2 = publicJwk(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const EC = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ED = publicJwk(generateKeyPairSync('ed25519'));
const odd = (of: object, more: object = {}): Jwk => ({ ...of, kid: 'odd', ...more });
const bytes = (length: number): string => randomBytes(length).toString('base64url');
const without = (jwk: Jwk, name: string): Jwk =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name));

/** An EC key whose x begins with a zero octet, without that octet. */
function shortCoordinate(): Jwk {
  for (;;) {
    const jwk = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    const x = Buffer.from(jwk.x ?? '', 'base64url');
    if (x[0] === 0) return { ...jwk, x: x.subarray(1).toString('base64url') };
  }
}
/** As Java's BigInteger writes it: with an octet for the sign. */
const signed = (member = ''): string =>
  Buffer.concat([Buffer.of(0), Buffer.from(member, 'base64url')]).toString('base64url');

/** The key of {@link CERTIFICATE}, with it. */
const certificate = new X509Certificate(Buffer.from(CERTIFICATE, 'base64'));
const certified = (): Jwk => ({ ...publicJwk(certificate), x5c: [CERTIFICATE] });
const hexadecimal = (): string =>
  Buffer.from(certificate.fingerprint.replaceAll(':', '')).toString('base64url');

const find = (set: KeySet, alg: JwsAlgorithm, kid?: string): string[] =>
  set.verifiers({ alg, kid }, 'kid', 0).map((key) => key.kid);
const parse = (...keys: unknown[]): KeySet =>
  KeySet.parse(JSON.stringify({ keys }), 'https://x', true);

describe('beside a good key of a set of others, an odd one is skipped with its reason', () => {
  it.each<[string, unknown, RegExp]>([
    ['a registered alg that is unknown here', odd(EC, { alg: 'ES256K' }), /alg 'ES256K'/],
    ['RS1', odd(RSA2, { alg: 'RS1' }), /alg 'RS1'/],
    ['HPKE-0', odd(EC, { alg: 'HPKE-0' }), /alg 'HPKE-0'/],
    ['alg RSA', odd(RSA2, { alg: 'RSA' }), /alg 'RSA'/],
    ['alg null', odd(RSA2, { alg: null }), /alg \(a object\)/],
    ['alg as a number', odd(RSA2, { alg: 256 }), /alg \(a number\)/],
    ['alg of another type', odd(RSA2, { alg: 'ES256' }), /ES256 needs a key of type EC/],
    ['alg of another curve', odd(EC, { alg: 'ES384' }), /curve P-384/],
    ['alg none', odd(RSA2, { alg: 'none' }), /alg 'none'/],
    ['alg in small letters', odd(RSA2, { alg: 'rs256' }), /alg 'rs256'/],
    ['an empty alg', odd(RSA2, { alg: '' }), /alg ''/],
    ['alg of encryption without use', odd(RSA2, { alg: 'RSA-OAEP-256' }), /for encryption/],
    ['key_ops without verify', odd(EC, { key_ops: ['sign'] }), /does not allow 'verify'/],
    ['key_ops for encryption', odd(RSA2, { key_ops: ['encrypt', 'wrapKey'] }), /key_ops/],
    ['key_ops for nothing', odd(EC, { key_ops: [] }), /key_ops/],
    [
      'use sig beside key_ops for encryption',
      odd(EC, { use: 'sig', key_ops: ['encrypt'] }),
      /key_ops/,
    ],
    ['key_ops that is no list', odd(EC, { key_ops: 'verify' }), /key_ops/],
    ['key_ops with a value twice', odd(EC, { key_ops: ['verify', 'verify'] }), /key_ops/],
    ['use enc', odd(RSA2, { use: 'enc' }), /for encryption/],
    ['an unknown use', odd(RSA2, { use: 'tls' }), /use 'tls'/],
    ['use null', odd(RSA2, { use: null }), /use/],
    [
      'RSA below 2048 bits',
      odd(publicJwk(generateKeyPairSync('rsa', { modulusLength: 1024 }))),
      /1024 bits/,
    ],
    [
      'RSA above 16384 bits',
      odd({ ...RSA2, n: bytes(2049).replace(/^./, 'x') }),
      /1639\d bits; at most 16384/,
    ],
    ['RSA with an even exponent', odd(RSA2, { e: 'AQAA' }), /exponent/],
    ['RSA with padded members', odd(RSA2, { n: `${RSA2.n}==` }), /'n' is missing or not base64url/],
    [
      'RSA in plain base64',
      odd(RSA2, { n: `+/${RSA2.n?.slice(2)}` }),
      /'n' is missing or not base64url/,
    ],
    ['RSA with e as a number', odd(RSA2, { e: 65_537 }), /'e' is missing/],
    ['RSA with e 3', odd(RSA2, { e: 'Aw' }), /exponent/],
    ['RSA without n', without(odd(RSA2), 'n'), /'n' is missing/],
    ['RSA without e', without(odd(RSA2), 'e'), /'e' is missing/],
    ['EC without y', without(odd(EC), 'y'), /'y' is missing/],
    ['EC with padded members', odd(EC, { x: `${EC.x}=` }), /'x' is missing or not base64url/],
    ['a point that is not on the curve', odd(EC, { x: bytes(32) }), /not a valid key/],
    ['a coordinate that is too long', odd(EC, { x: bytes(40) }), /not 32 bytes/],
    ['OKP with a short x', odd(ED, { x: bytes(31) }), /not 32 bytes/],
    ['Ed448', odd({ kty: 'OKP', crv: 'Ed448', x: bytes(57) }), /curve 'Ed448'/],
    ['X25519', odd({ kty: 'OKP', crv: 'X25519', x: bytes(32) }), /curve 'X25519'/],
    ['secp256k1', odd({ kty: 'EC', crv: 'secp256k1', x: bytes(32), y: bytes(32) }), /secp256k1/],
    ['no kty', without(odd(EC), 'kty'), /no 'kty'/],
    ['kty in small letters', odd(RSA2, { kty: 'rsa' }), /kty 'rsa'/],
    ['an unknown kty', odd({ kty: 'LMS', pub: bytes(32) }), /kty 'LMS'/],
    ['AKP of an unknown algorithm', odd({ kty: 'AKP', alg: 'SLH-DSA-1', pub: bytes(32) }), /AKP/],
    ['AKP without alg', odd({ kty: 'AKP', pub: bytes(32) }), /AKP/],
    ['x5c of another key', odd(RSA2, { x5c: [CERTIFICATE] }), /for another key/],
    ['kid as a number', { ...EC, kid: 5 }, /kid/],
    ['kid null', { ...EC, kid: null }, /kid/],
    ['an empty object', {}, /no 'kty'/],
    ['null', null, /not a JSON object/],
    ['a string', 'key', /not a JSON object/],
    ['a list', [EC], /not a JSON object/],
    ['a number', 7, /not a JSON object/],
  ])('%s', (_what, key, reason) => {
    for (const keys of [
      [GOOD, key],
      [key, GOOD],
    ]) {
      const set = parse(...keys);
      expect(find(set, 'RS256', 'good')).toEqual(['good']);
      expect(set.entries()).toHaveLength(1);
      expect(set.skipped).toHaveLength(1);
      expect(set.skipped[0]?.reason).toMatch(reason);
    }
    expect(() => parse(key)).toThrow(KeyError);
  });
});

describe('beside a good key of a set of others, an odd one is used', () => {
  it.each<[string, Jwk, JwsAlgorithm]>([
    ['an EC coordinate without its leading zero octet', odd(shortCoordinate()), 'ES256'],
    [
      'an EC coordinate with an octet for the sign',
      odd(EC, { x: signed(EC.x), y: signed(EC.y) }),
      'ES256',
    ],
    ['x5c that does not parse', odd(EC, { x5c: ['AAAA'] }), 'ES256'],
    ['x5t that is not that of x5c', odd(certified(), { x5t: 'AAAA' }), 'ES256'],
    ['x5t in hexadecimal digits, as of Auth0', odd(certified(), { x5t: hexadecimal() }), 'ES256'],
    [
      'RSA with an octet for the sign',
      odd(RSA2, { n: signed(RSA2.n), e: signed(RSA2.e) }),
      'RS256',
    ],
    ['x5c that is no list', odd(EC, { x5c: 'AAAA' }), 'ES256'],
    ['alg Ed25519 (RFC 9864)', odd(ED, { alg: 'Ed25519' }), 'EdDSA'],
    ['alg EdDSA for a token that says Ed25519', odd(ED, { alg: 'EdDSA' }), 'Ed25519'],
    [
      'members that nobody knows',
      odd(EC, { nbf: 1, x5u: 'https://x', issuer: 'https://y' }),
      'ES256',
    ],
    ['key_ops with more than verify', odd(EC, { key_ops: ['verify', 'encrypt'] }), 'ES256'],
  ])('%s', (_what, key, alg) => {
    const set = parse(GOOD, key);
    expect(find(set, alg, 'odd')).toEqual(['odd']);
    expect(find(set, 'RS256', 'good')).toEqual(['good']);
    expect(set.skipped).toEqual([]);
  });

  it('a key without a kid: for tokens without one, as the only one that fits', () => {
    const set = parse(GOOD, EC);
    expect(find(set, 'ES256')).toEqual([thumbprint(EC)]);
    expect(find(set, 'RS256')).toEqual(['good']);
    expect(find(parse(GOOD, RSA2, EC), 'RS256')).toEqual([]);
  });

  it('the same key twice: once', () => {
    expect(parse(GOOD, GOOD, odd(EC), odd(EC)).entries()).toHaveLength(2);
  });

  it('a kid that several keys have: the one that fits, or each that does', () => {
    const twins = parse(GOOD, { ...EC, kid: 'good' });
    expect(twins.verifiers({ alg: 'ES256', kid: 'good' }, 'kid', 0)).toMatchObject([{ kty: 'EC' }]);
    expect(twins.verifiers({ alg: 'RS256', kid: 'good' }, 'kid', 0)).toMatchObject([
      { kty: 'RSA' },
    ]);
    const both = parse(GOOD, { ...RSA2, kid: 'good' });
    expect(find(both, 'RS256', 'good')).toEqual(['good', 'good']);
    const enc = parse({ ...RSA2, kid: 'good', use: 'enc' }, GOOD);
    expect(find(enc, 'RS256', 'good')).toEqual(['good']);
  });

  it('a byte order mark, and a member that stands twice', () => {
    const text = JSON.stringify({ keys: [GOOD] });
    expect(KeySet.parse(`\uFEFF${text}`, 'https://x', true).all()).toHaveLength(1);
    const twice = text.replace('"use":"sig"', '"use":"sig","use":"sig"');
    expect(KeySet.parse(twice, 'https://x', true).all()).toHaveLength(1);
  });

  it('200 keys; what follows is skipped with one line', () => {
    const many = Array.from({ length: 1099 }, (_, index) => ({ ...EC, kid: `k${index}`, y: EC.y }));
    const set = parse(GOOD, ...many);
    expect(set.entries()).toHaveLength(200);
    expect(find(set, 'ES256', 'k198')).toEqual(['k198']);
    expect(find(set, 'ES256', 'k199')).toEqual([]);
    expect(set.skipped).toEqual([
      {
        kid: '',
        reason: expect.stringMatching(/^there are 1100 keys; .* first 200 are skipped$/) as string,
        count: 900,
      },
    ]);
    expect(parse(GOOD, ...many.slice(0, 199)).skipped).toEqual([]);
    expect(() => parse(...many, odd({ kty: 'oct', k: bytes(32) }))).toThrow(/secret or private/);
  });
});

describe('a set of others is refused as a whole', () => {
  const rsaPrivate = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    format: 'jwk',
  }) as Jwk;
  it.each<[string, unknown]>([
    ['for a private key in it', odd(rsaPrivate)],
    ['for half a private key', odd(RSA2, { d: rsaPrivate.d })],
    ['for a prime', odd(RSA2, { p: rsaPrivate.p })],
    ['for a secret', odd({ kty: 'oct', k: bytes(32), alg: 'HS256' })],
    ['for a secret for encryption', odd({ kty: 'oct', k: bytes(32), use: 'enc' })],
    ['for a private ML-DSA key', odd({ kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA', priv: bytes(32) })],
  ])('%s', (_what, key) => {
    expect(() => parse(GOOD, key)).toThrow(/secret or private key/);
    expect(() => parse(key, GOOD)).toThrow(/secret or private key/);
  });

  it('when nothing in it can be used, saying why', () => {
    expect(() => parse(odd(EC, { alg: 'ES256K' }))).toThrow(/no usable key; kid 'odd'.*'ES256K'/);
    expect(() => parse()).toThrow(/there is no key/);
  });
});

it('kid_x5t means both: the kid and each thumbprint that the token has', () => {
  const key = odd(EC, { x5t: 'one', 'x5t#S256': 'two' });
  const set = parse(GOOD, key);
  const found = (names: object): number =>
    set.verifiers({ alg: 'ES256', ...names }, 'kid_x5t', 0).length;
  expect(found({ kid: 'odd', x5t: 'one' })).toBe(1);
  expect(found({ kid: 'odd', x5t: 'one', x5tS256: 'two' })).toBe(1);
  expect(found({ kid: 'odd', x5tS256: 'two' })).toBe(1);
  for (const names of [
    { kid: 'odd' },
    { x5t: 'one' },
    { kid: 'good', x5t: 'one' },
    { kid: 'odd', x5t: 'two' },
    { kid: 'odd', x5t: 'one', x5tS256: 'one' },
  ])
    expect(found(names)).toBe(0);
});
