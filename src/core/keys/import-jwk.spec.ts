import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateJwk, publicHalf } from '../../../test/helpers/issuers/keys.js';
import { signInput, verifySignature, type JwsAlgorithm } from '../jws/index.js';
import { importJwk, type ImportedKey } from './import-jwk.js';
import { KeyError } from './key.error.js';

const KID = 'tested';
let ec: JWK, otherEc: JWK, rsa: JWK, otherRsa: JWK, ed: JWK, otherEd: JWK, hs: JWK, weakRsa: JWK;

beforeAll(async () => {
  [ec, otherEc, rsa, otherRsa, ed, otherEd, hs] = await Promise.all(
    ['ES256', 'ES256', 'RS256', 'RS256', 'EdDSA', 'EdDSA', 'HS256'].map((alg) =>
      generateJwk(alg, KID),
    ) as [
      Promise<JWK>,
      Promise<JWK>,
      Promise<JWK>,
      Promise<JWK>,
      Promise<JWK>,
      Promise<JWK>,
      Promise<JWK>,
    ],
  );
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  weakRsa = { ...(privateKey.export({ format: 'jwk' }) as JWK), kid: KID };
});

const imported = (jwk: unknown): ImportedKey => {
  const result = importJwk(jwk);
  if (typeof result === 'string') throw new Error(`skipped: ${result}`);
  return result;
};

/** Every run of eight characters of the members that make up the key. */
const material = (jwk: object): string[] =>
  Object.entries(jwk)
    .filter(([name, value]) => /^(k|n|x|y|d|p|q|dp|dq|qi)$/.test(name) && typeof value === 'string')
    .flatMap(([, value]) =>
      Array.from({ length: Math.max(0, String(value).length - 7) }, (_, i) =>
        String(value).slice(i, i + 8),
      ),
    );

/** The message of the refusal; fails when it holds a piece of the key. */
function problemOf(jwk: object): string {
  try {
    importJwk(jwk);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    const leaked = material(jwk).some((run) => error.message.includes(run));
    return leaked ? 'the message holds key material' : error.message;
  }
  return 'no problem';
}

const without = (jwk: JWK, name: string): object =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name));
const secret = (bytes: number): string => randomBytes(bytes).toString('base64url');
/** The same number of characters and bytes, with stray bits behind the last one. */
function withStrayBits(text = ''): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1);
}
/** Another value of the same length. */
const altered = (text = ''): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

describe('importJwk refuses, naming the kid and never the key,', () => {
  // Each defect is a function, since the keys are made in beforeAll.
  const named: [string, () => object, RegExp][] = [
    ['no kty', () => without(ec, 'kty'), /has no 'kty'/],
    ['kty as a number', () => ({ ...ec, kty: 1 }), /has no 'kty'/],
    ['a key of another type', () => ({ ...ec, kty: 'RSA' }), /member 'n' is missing/],
    ['RSA members as oct', () => ({ ...rsa, kty: 'oct' }), /member 'k' is missing/],
    ['alg of another type', () => ({ ...rsa, alg: 'HS256' }), /HS256 needs a key of type oct/],
    ['alg RS256 on a secret', () => ({ ...hs, alg: 'RS256' }), /needs a key of type RSA/],
    ['alg of another curve', () => ({ ...ec, alg: 'ES384' }), /needs curve P-384/],
    ['alg EdDSA on EC', () => ({ ...ec, alg: 'EdDSA' }), /needs a key of type OKP/],
    ['alg none', () => ({ ...ec, alg: 'none' }), /not a JWS algorithm/],
    ['alg in lower case', () => ({ ...ec, alg: 'es256' }), /not a JWS algorithm/],
    ['alg as a number', () => ({ ...ec, alg: 256 }), /not a JWS algorithm/],
    ['alg null', () => ({ ...ec, alg: null }), /not a JWS algorithm/],
    ['alg of Object.prototype', () => ({ ...ec, alg: 'constructor' }), /not a JWS algorithm/],
    ['a curve of another size', () => ({ ...ec, crv: 'P-384' }), /'x' is not 48 bytes/],
    ['use null', () => ({ ...ec, use: null }), /not for signatures/],
    [
      'key_ops of encryption',
      () => ({ ...ec, key_ops: ['encrypt'] }),
      /neither 'sign' nor 'verify'/,
    ],
    ['empty key_ops', () => ({ ...ec, key_ops: [] }), /neither 'sign' nor 'verify'/],
    ['key_ops twice', () => ({ ...ec, key_ops: ['sign', 'sign'] }), /not a list of unique/],
    ['key_ops as a string', () => ({ ...ec, key_ops: 'sign' }), /not a list of unique/],
    ['key_ops null', () => ({ ...hs, key_ops: null }), /not a list of unique/],
    ['an empty secret', () => ({ ...hs, k: '' }), /0 bytes/],
    ['a secret of 31 bytes', () => ({ ...hs, k: secret(31) }), /31 bytes/],
    ['31 bytes without alg', () => ({ kty: 'oct', kid: KID, k: secret(31) }), /31 bytes/],
    ['HS384 with 47 bytes', () => ({ ...hs, alg: 'HS384', k: secret(47) }), /at least 48/],
    ['HS512 with 32 bytes', () => ({ ...hs, alg: 'HS512' }), /at least 64 bytes, kid '.*' has 32/],
    [
      'HS512 with 32 bytes, for signing only',
      () => ({ ...hs, alg: 'HS512', key_ops: ['sign'] }),
      /at least 64/,
    ],
    ['a secret with padding', () => ({ ...hs, k: `${hs.k}=` }), /'k' is missing or not base64url/],
    [
      'a secret with stray bits',
      () => ({ ...hs, k: withStrayBits(hs.k) }),
      /'k' is missing or not/,
    ],
    ['a secret in base64', () => ({ ...hs, k: `+/${hs.k?.slice(2)}` }), /'k' is missing or not/],
    ['a secret that is no string', () => ({ ...hs, k: [hs.k] }), /'k' is missing or not/],
    ['no secret', () => without(hs, 'k'), /'k' is missing/],
    ['x with padding', () => ({ ...ec, x: `${ec.x}=` }), /'x' is missing or not base64url/],
    ['x with stray bits', () => ({ ...publicHalf(ec), x: withStrayBits(ec.x) }), /'x' is missing/],
    ['x with a leading zero byte', () => ({ ...ec, x: `AA${ec.x}` }), /'x' is/],
    ['y missing', () => without(ec, 'y'), /'y' is missing/],
    ['d with stray bits', () => ({ ...ec, d: withStrayBits(ec.d) }), /'d' is missing or not/],
    ['d too short', () => ({ ...ec, d: ec.d?.slice(0, 40) }), /'d' is not 32 bytes/],
    ['d null', () => ({ ...ec, d: null }), /'d' is missing or not/],
    [
      'a point not on the curve',
      () => ({ ...publicHalf(ec), y: altered(ec.y) }),
      /not a valid key/,
    ],
    ['a private key with such a point', () => ({ ...ec, y: altered(ec.y) }), /not a valid key/],
    ['d of another EC key', () => ({ ...ec, d: otherEc.d }), /not fit|not a valid key/],
    ['x of another Ed25519 key', () => ({ ...ed, x: otherEd.x }), /not fit|not a valid key/],
    ['n of another RSA key', () => ({ ...rsa, n: otherRsa.n }), /not fit|not a valid key/],
    ['d of another RSA key', () => ({ ...rsa, d: otherRsa.d }), /not fit|not a valid key/],
    ['p of another RSA key', () => ({ ...rsa, p: otherRsa.p }), /not fit|not a valid key/],
    ['RSA without q', () => without(rsa, 'q'), /'q' is missing/],
    ['multi-prime RSA', () => ({ ...rsa, oth: [] }), /multi-prime/],
    ['RSA of 1024 bits', () => weakRsa, /1024 bits; at least 2048/],
    ['RSA of 1024 bits, public', () => publicHalf(weakRsa), /1024 bits; at least 2048/],
    [
      'RSA of 1024 bits behind leading zeros',
      () => ({
        ...publicHalf(weakRsa),
        n: Buffer.concat([Buffer.alloc(128), Buffer.from(weakRsa.n ?? '', 'base64url')]).toString(
          'base64url',
        ),
      }),
      /1024 bits/,
    ],
    ['n empty', () => ({ ...publicHalf(rsa), n: '' }), /0 bits/],
    ['e = 0', () => ({ ...publicHalf(rsa), e: 'AA' }), /unsafe RSA exponent/],
    // With e = 1 each message is its own signature.
    ['e = 1', () => ({ ...publicHalf(rsa), e: 'AQ' }), /unsafe RSA exponent/],
    ['e = 3', () => ({ ...publicHalf(rsa), e: 'Aw' }), /unsafe RSA exponent/],
    ['an even e', () => ({ ...publicHalf(rsa), e: 'AQAC' }), /unsafe RSA exponent/],
    ['e of 9 bytes', () => ({ ...publicHalf(rsa), e: 'AQAAAAAAAAAB' }), /unsafe RSA exponent/],
    ['n with padding', () => ({ ...rsa, n: `${rsa.n}==` }), /'n' is missing or not base64url/],
  ];
  it.each(named)('%s', (_defect, defective, reason) => {
    const jwk = defective();
    expect(problemOf(jwk)).toMatch(reason);
    expect(problemOf(jwk)).toContain(`kid '${KID}'`);
    // The boot prints one line per problem.
    expect(problemOf(jwk)).not.toContain('\n');
  });

  it.each([
    ['no kid', () => without(ec, 'kid')],
    ['an empty kid', () => ({ ...ec, kid: '' })],
    ['kid as a number', () => ({ ...ec, kid: 7 })],
  ])('%s (there is no kid to name)', (_defect, defective) => {
    expect(problemOf(defective())).toMatch(/has no 'kid'/);
  });

  it.each([null, 'text', 1, [], ['k']])('%j, which is no object', (value) => {
    expect(() => importJwk(value)).toThrow(/not a JSON object/);
  });
});

describe('importJwk skips, saying why,', () => {
  it.each([
    ['kty AKP of another algorithm', { kty: 'AKP', kid: KID, alg: 'SLH-DSA-1' }, /kty AKP/],
    ['use enc', { kty: 'EC', crv: 'P-256', kid: KID, use: 'enc' }, /is for encryption/],
    ['use enc on a secret', { kty: 'oct', kid: KID, use: 'enc', k: secret(32) }, /encryption/],
    ['kty of Object.prototype', { kty: 'constructor', kid: KID }, /kty 'constructor'/],
    ['secp256k1', { kty: 'EC', crv: 'secp256k1', kid: KID, x: secret(32), y: secret(32) }, /curve/],
    ['X25519', { kty: 'OKP', crv: 'X25519', kid: KID, x: secret(32) }, /curve 'X25519'/],
    ['a curve of another kty', { kty: 'OKP', crv: 'P-256', kid: KID, x: secret(32) }, /curve/],
    ['a key for encryption', { kty: 'oct', alg: 'A128KW', kid: KID, k: secret(16) }, /encryption/],
  ])('%s', (_what, jwk, reason) => {
    const result = importJwk(jwk);
    expect(result).toMatch(reason);
    expect(result).toContain(`kid '${KID}'`);
    expect(material(jwk).filter((run) => JSON.stringify(result).includes(run))).toEqual([]);
  });
});

describe('importJwk accepts', () => {
  it('private, public and secret keys, with what each can do', () => {
    for (const jwk of [ec, rsa, ed]) {
      expect(imported(jwk).key).toMatchObject({ kid: KID, kty: jwk.kty, alg: jwk.alg });
      expect(imported(jwk).key.signing?.type).toBe('private');
      expect(imported(jwk).key.verifying?.type).toBe('public');
      expect(imported(publicHalf(jwk)).key.signing).toBeUndefined();
      expect(imported(publicHalf(jwk)).key.verifying?.type).toBe('public');
    }
    expect(imported(hs).key.signing?.symmetricKeySize).toBe(32);
  });

  it('a private key with key_ops ["sign"], which still verifies by its public half', async () => {
    const keys: [JWK, JwsAlgorithm][] = [
      [ec, 'ES256'],
      [ed, 'EdDSA'],
    ];
    for (const [jwk, alg] of keys) {
      const { key } = imported({ ...jwk, key_ops: ['sign'] });
      const signature = Buffer.from(await signInput(alg, key, 'input'), 'base64url');
      expect(await verifySignature(alg, key, 'input', signature)).toBe(true);
    }
  });

  it('key_ops as a limit', () => {
    expect(imported({ ...ec, key_ops: ['verify'] }).key.signing).toBeUndefined();
    expect(imported({ ...ec, key_ops: ['verify'] }).key.verifying).toBeDefined();
    expect(imported({ ...publicHalf(ec), key_ops: ['sign'] }).key.verifying).toBeUndefined();
    // A secret has no public half.
    expect(imported({ ...hs, key_ops: ['sign'] }).key.verifying).toBeUndefined();
    expect(imported({ ...hs, key_ops: ['verify'] }).key.signing).toBeUndefined();
  });
});

describe('publicJwk', () => {
  it('holds public members only', () => {
    for (const jwk of [ec, rsa, ed]) {
      const { publicJwk } = imported({ ...jwk, key_ops: ['sign'], k: 'x', other: 'member' });
      const { key_ops: _operations, ...expected } = publicHalf(jwk);
      expect(publicJwk).toEqual({ ...expected, use: 'sig' });
    }
  });

  it('does not exist for secrets', () => {
    expect(imported(hs).publicJwk).toBeUndefined();
  });
});
