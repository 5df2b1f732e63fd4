import { describe, expect, it } from 'vitest';
import { JWS_ALGORITHMS, MAX_TOKEN_LENGTH } from '../jws/index.js';
import { generateJwk, importJwk } from '../keys/index.js';
import { signToken, type TokenFormat } from './sign-token.js';

const keyFor = (alg: (typeof JWS_ALGORITHMS)[number]) => {
  const imported = importJwk({ ...generateJwk(alg, 2056), kid: 'k', alg });
  if (typeof imported === 'string') throw new Error(imported);
  return imported.key;
};

describe('signToken', () => {
  it.each(JWS_ALGORITHMS)('%s: a token has at most as many characters as allowed', async (alg) => {
    const key = keyFor(alg);
    const format: TokenFormat = { alg, kid: 'k', typ: 'JWT', full: false };
    const { length } = await signToken({ sub: 'a' }, key, format);
    const exact = { ...format, maxLength: length };
    expect(await signToken({ sub: 'a' }, key, exact)).toHaveLength(length);
    // The length is known before signing, so no token is signed that validators would refuse.
    expect(() => signToken({ sub: 'a' }, key, { ...exact, maxLength: length - 1 })).toThrow(
      expect.objectContaining({
        name: 'SigningError',
        code: 'token_too_large',
        explanation: expect.stringContaining(
          `${length} characters; at most ${length - 1}`,
        ) as string,
      }) as Error,
    );
  });

  it('signs at most what validators look at', async () => {
    const key = keyFor('HS256');
    const format: TokenFormat = { alg: 'HS256', kid: 'k', typ: 'JWT', full: false };
    const groups = (count: number) => ({
      groups: Array.from({ length: count }, () => '00000000-0000-4000-8000-000000000000'),
    });
    // Entra puts at most this many groups into a token.
    const token = await signToken(groups(200), key, format);
    expect(token.length).toBeGreaterThan(10_000);
    expect(() => signToken(groups(400), key, format)).toThrow(String(MAX_TOKEN_LENGTH));
    expect(() => signToken(groups(400), key, { ...format, full: true })).toThrow(
      String(MAX_TOKEN_LENGTH),
    );
  });
});
