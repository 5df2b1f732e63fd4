import { describe, expect, it } from 'vitest';
import { createHmac, createSecretKey, generateKeyPairSync, sign } from 'node:crypto';
import { TokenRefusedError } from '../errors/index.js';
import type { JwsKey } from '../jws/index.js';
import { compilePolicy, SignatureCache, tokenVerdict, verifyToken } from './index.js';

const secret = createSecretKey(Buffer.alloc(32, 1));
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEYS: Record<string, JwsKey> = {
  HS256: { kid: 'HS256', kty: 'oct', alg: 'HS256', signing: secret, verifying: secret },
  ES256: { kid: 'ES256', kty: 'EC', crv: 'P-256', alg: 'ES256', verifying: pair.publicKey },
};
const POLICY = compilePolicy(
  { roles: ['admin'] },
  { algorithms: ['HS256', 'ES256'], issuer: 'iss', audience: 'aud' },
);
const CLAIMS = { iss: 'iss', aud: 'aud', exp: 4_000_000_000, roles: ['admin'] };
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(alg: 'HS256' | 'ES256', claims: object, key = secret): string {
  const input = `${encode({ alg, kid: alg, typ: 'JWT' })}.${encode(claims)}`;
  const signature =
    alg === 'HS256'
      ? createHmac('sha256', key).update(input).digest()
      : sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const verification = {
  keys: {
    verificationKeys: ({ kid = '' }): JwsKey[] => [KEYS[kid]].filter((key) => key !== undefined),
    awaitVerificationKeys: () => Promise.resolve([]),
  },
  signatures: new SignatureCache(10),
};
const verdict = (text: string): unknown => tokenVerdict(text, POLICY, verification);

describe('tokenVerdict', () => {
  it.each<[code: string, text: string]>([
    ['signature_invalid', token('HS256', CLAIMS, createSecretKey(Buffer.alloc(32, 2)))],
    ['token_expired', token('HS256', { ...CLAIMS, exp: 1 })],
    ['issuer_mismatch', token('HS256', { ...CLAIMS, iss: 'other' })],
    ['roles_missing', token('HS256', { ...CLAIMS, roles: [] })],
    ['token_malformed', 'x'],
  ])('gives back %s at once, and verifyToken throws it', async (code, text) => {
    const refusal = verdict(text);
    expect(refusal).toBeInstanceOf(TokenRefusedError);
    expect(refusal).toMatchObject({ code });
    await expect(verifyToken(text, POLICY, verification)).rejects.toMatchObject({ code });
  });

  it.each([
    '"iss":"other"',
    '"i\\u0073s":"iss"',
    '"x":{"y":1,"y":2}',
    '"x":[{"y":1e400,"y":1e400}]',
    '"__proto__":1,"__proto__":1',
  ])('refuses claims that name a member twice: %s', (member) => {
    const input = `${encode({ alg: 'HS256', kid: 'HS256', typ: 'JWT' })}.${Buffer.from(
      JSON.stringify(CLAIMS).replace(/^\{/, `{${member},`),
    ).toString('base64url')}`;
    const signature = createHmac('sha256', secret).update(input).digest('base64url');
    const refusal = verdict(`${input}.${signature}`);
    expect(refusal).toMatchObject({ code: 'token_malformed' });
  });

  it('waits for nothing where the signature is an HMAC, or is remembered', async () => {
    expect(verdict(token('HS256', CLAIMS))).toEqual(CLAIMS);
    const asymmetric = token('ES256', CLAIMS);
    const first = verdict(asymmetric);
    expect(first).toBeInstanceOf(Promise);
    await expect(first).resolves.toEqual(CLAIMS);
    expect(verdict(asymmetric)).toEqual(CLAIMS);
  });

  it('gives back a refusal also where it waited', async () => {
    const unknown = token('HS256', CLAIMS).replace(/^[^.]+/, encode({ alg: 'HS256', kid: 'x' }));
    await expect(verdict(unknown)).resolves.toMatchObject({ code: 'key_not_found' });
    const other = token('ES256', { ...CLAIMS, exp: 1 });
    await expect(verdict(other)).resolves.toMatchObject({ code: 'token_expired' });
  });

  it('throws what is no refusal', () => {
    const broken = new Error('keys are gone');
    const keys = {
      ...verification.keys,
      verificationKeys: (): never => {
        throw broken;
      },
    };
    expect(() => tokenVerdict(token('HS256', CLAIMS), POLICY, { keys })).toThrow(broken);
  });
});
