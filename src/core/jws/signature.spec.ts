import {
  constants,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import * as fc from 'fast-check';
import { CompactSign, compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { JWS_ALGORITHMS, type JwsAlgorithm } from './algorithms.js';
import { keyMisfit, type JwsKey } from './jws-key.js';
import { parseCompact } from './parse-compact.js';
import { signInput, verifySignature } from './signature.js';

const secret = (bytes: number): JwsKey => {
  const key = createSecretKey(randomBytes(bytes));
  return { kid: `oct-${bytes}`, kty: 'oct', signing: key, verifying: key };
};
const pair = (
  kty: 'RSA' | 'EC' | 'OKP' | 'AKP',
  { privateKey, publicKey }: ReturnType<typeof generateKeyPairSync>,
  crv?: string,
): JwsKey => ({ kid: crv ?? kty, kty, crv, signing: privateKey, verifying: publicKey });
const RSA = pair('RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }));
const P256 = pair('EC', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'P-256');
const P384 = pair('EC', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'P-384');
const P521 = pair('EC', generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'P-521');
const ED25519 = pair('OKP', generateKeyPairSync('ed25519'), 'Ed25519');
const mlDsa = (alg: 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87'): JwsKey => ({
  ...pair('AKP', generateKeyPairSync(alg.toLowerCase() as 'ml-dsa-44')),
  kid: alg,
  alg,
});
const ML44 = mlDsa('ML-DSA-44');
const ML65 = mlDsa('ML-DSA-65');
const ML87 = mlDsa('ML-DSA-87');
const [S32, S48, S64] = [secret(32), secret(48), secret(64)];

const KEYS: Readonly<Record<JwsAlgorithm, JwsKey>> = {
  HS256: S32,
  HS384: S48,
  HS512: S64,
  RS256: RSA,
  RS384: RSA,
  RS512: RSA,
  PS256: RSA,
  PS384: RSA,
  PS512: RSA,
  ES256: P256,
  ES384: P384,
  ES512: P521,
  EdDSA: ED25519,
  Ed25519: ED25519,
  'ML-DSA-44': ML44,
  'ML-DSA-65': ML65,
  'ML-DSA-87': ML87,
};
const CURVES = [
  ['ES256', 'sha256'],
  ['ES384', 'sha384'],
  ['ES512', 'sha512'],
] as const;
const part = (key: JwsKey, use: 'signing' | 'verifying') => {
  const object = key[use];
  if (object === undefined) throw new Error('a test key lacks a part');
  return object;
};
const INPUT = 'eyJhbGciOiJ4In0.e30';
const signatureOf = async (alg: JwsAlgorithm, input = INPUT): Promise<Buffer> =>
  Buffer.from(await signInput(alg, KEYS[alg], input), 'base64url');
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

it('there are 13 algorithms', () => {
  expect([...JWS_ALGORITHMS].sort()).toEqual(Object.keys(KEYS).sort());
});

describe.each(JWS_ALGORITHMS.map((alg) => [alg, KEYS[alg]] as const))('%s', (alg, key) => {
  const claimSets = fc.dictionary(fc.string(), fc.jsonValue());
  const runs = { numRuns: key.kty === 'RSA' || key.kty === 'AKP' ? 8 : 30 };

  it('signs what jose accepts', async () => {
    await fc.assert(
      fc.asyncProperty(claimSets, async (claims) => {
        const input = `${encode({ alg, kid: key.kid })}.${encode(claims)}`;
        const token = `${input}.${await signInput(alg, key, input)}`;
        const { payload, protectedHeader } = await compactVerify(token, part(key, 'verifying'), {
          algorithms: [alg],
        });
        expect(Buffer.from(payload).toString()).toBe(JSON.stringify(claims));
        expect(protectedHeader).toEqual({ alg, kid: key.kid });
      }),
      runs,
    );
  });

  it('accepts what jose signs, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(claimSets, fc.nat(), async (claims, at) => {
        const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
          .setProtectedHeader({ alg, kid: key.kid })
          .sign(part(key, 'signing'));
        const { signingInput, signature } = parseCompact(token);
        expect(await verifySignature(alg, key, signingInput, signature)).toBe(true);
        expect(await verifySignature(alg, key, `${signingInput}A`, signature)).toBe(false);
        const flipped = Buffer.from(signature);
        const index = at % flipped.length;
        flipped.writeUInt8(flipped.readUInt8(index) ^ 1, index);
        expect(await verifySignature(alg, key, signingInput, flipped)).toBe(false);
      }),
      runs,
    );
  });

  it('refuses signatures of any other length without an error', async () => {
    const good = await signatureOf(alg);
    expect(await verifySignature(alg, key, INPUT, good)).toBe(true);
    for (const signature of [
      Buffer.alloc(0),
      Buffer.alloc(good.length),
      good.subarray(0, -1),
      good.subarray(0, good.length / 2),
      Buffer.concat([good, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), good]),
    ])
      expect(await verifySignature(alg, key, INPUT, signature)).toBe(false);
  });

  it('works only with the part that is there', async () => {
    const good = await signatureOf(alg);
    expect(await verifySignature(alg, { ...key, verifying: undefined }, INPUT, good)).toBe(false);
    expect(() => signInput(alg, { ...key, signing: undefined }, INPUT)).toThrow(TypeError);
  });
});

describe('ECDSA', () => {
  it.each(CURVES)('%s refuses a valid signature in DER', async (alg, hash) => {
    const key = KEYS[alg];
    const der = sign(hash, Buffer.from(INPUT), part(key, 'signing'));
    // It is a good signature, in the encoding that JWS does not use (RFC 7518 section 3.4).
    expect(verify(hash, Buffer.from(INPUT), part(key, 'verifying'), der)).toBe(true);
    expect(await verifySignature(alg, key, INPUT, der)).toBe(false);
  });

  it.each(CURVES)('%s refuses R and S with a leading zero each', async (alg) => {
    const good = await signatureOf(alg);
    const half = good.length / 2;
    const zero = Buffer.alloc(1);
    const padded = Buffer.concat([zero, good.subarray(0, half), zero, good.subarray(half)]);
    expect(await verifySignature(alg, KEYS[alg], INPUT, padded)).toBe(false);
  });
});

describe('RSA', () => {
  it('does not take one padding for the other', async () => {
    expect(await verifySignature('PS256', RSA, INPUT, await signatureOf('RS256'))).toBe(false);
    expect(await verifySignature('RS256', RSA, INPUT, await signatureOf('PS256'))).toBe(false);
  });

  it('does not take one hash for the other', async () => {
    expect(await verifySignature('RS384', RSA, INPUT, await signatureOf('RS256'))).toBe(false);
    expect(await verifySignature('PS512', RSA, INPUT, await signatureOf('PS256'))).toBe(false);
  });

  it.each([0, 20, constants.RSA_PSS_SALTLEN_MAX_SIGN])(
    'refuses PS256 with salt length %i, which is not that of the hash',
    async (saltLength) => {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const options = { key: part(RSA, 'signing'), padding, saltLength };
      const signature = sign('sha256', Buffer.from(INPUT), options);
      expect(await verifySignature('PS256', RSA, INPUT, signature)).toBe(false);
    },
  );
});

describe('keyMisfit', () => {
  const keys = [S32, S48, S64, RSA, P256, P384, P521, ED25519, ML44, ML65, ML87];
  const fitting: Readonly<Record<JwsAlgorithm, JwsKey[]>> = {
    HS256: [S32, S48, S64],
    HS384: [S48, S64],
    HS512: [S64],
    RS256: [RSA],
    RS384: [RSA],
    RS512: [RSA],
    PS256: [RSA],
    PS384: [RSA],
    PS512: [RSA],
    ES256: [P256],
    ES384: [P384],
    ES512: [P521],
    EdDSA: [ED25519],
    Ed25519: [ED25519],
    'ML-DSA-44': [ML44],
    'ML-DSA-65': [ML65],
    'ML-DSA-87': [ML87],
  };

  it.each(JWS_ALGORITHMS)('%s goes with the keys that it is defined for', (alg) => {
    expect(keys.filter((key) => keyMisfit(key, alg) === undefined)).toEqual(fitting[alg]);
  });

  it('refuses a public key as an HMAC secret, and the other way round', () => {
    const publicOnly = { ...RSA, signing: undefined };
    expect(keyMisfit(publicOnly, 'HS256')).toMatch(
      /HS256 needs a key of type oct, kid 'RSA' is RSA/,
    );
    expect(keyMisfit(S32, 'RS256')).toMatch(/RS256 needs a key of type RSA, kid 'oct-32' is oct/);
  });

  it('holds a key to the alg it declares, also within its type', () => {
    expect(keyMisfit({ ...RSA, alg: 'PS256' }, 'PS256')).toBeUndefined();
    expect(keyMisfit({ ...RSA, alg: 'PS256' }, 'RS256')).toMatch(/for PS256 only, not for RS256/);
    expect(keyMisfit({ ...S64, alg: 'HS512' }, 'HS256')).toMatch(/for HS512 only/);
  });

  it('says how long a secret has to be', () => {
    expect(keyMisfit(S32, 'HS512')).toMatch(/at least 64 bytes, kid 'oct-32' has 32/);
    expect(keyMisfit({ ...secret(31), signing: undefined }, 'HS256')).toMatch(/has 31/);
  });
});
