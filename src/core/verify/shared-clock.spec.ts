import { describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../errors/index.js';
import { generateJwk, importJwk, KeySet } from '../keys/index.js';
import { signToken } from '../sign/index.js';
import { compilePolicy, verifyToken } from './index.js';

const TIME = Math.floor(Date.now() / 1000);
const jwk = { ...generateJwk('ES256'), kid: 'k' };
const imported = importJwk(jwk);
if (typeof imported === 'string') throw new Error(imported);
const { key } = imported;
const keys = KeySet.parse(JSON.stringify(jwk), 'of the test');
const policy = compilePolicy(
  {},
  { algorithms: ['ES256'], issuer: 'https://own', audience: 'api', leeway: 1 },
);

/** Returns `accepted` or the code of the refusal. @param shared seconds by which the store's clock is ahead */
async function verdict(claims: object, shared: number | undefined): Promise<string> {
  const token = await signToken(
    { iss: 'https://own', aud: 'api', sub: 'u', exp: TIME + 600, ...claims },
    key,
    { alg: 'ES256', kid: 'k', typ: 'JWT', full: false },
  );
  const revocations = {
    isRevoked: () => false,
    noteExpiry: () => undefined,
    ...(shared === undefined ? {} : { latest: Date.now() / 1000 + shared }),
  };
  try {
    await verifyToken(token, policy, {
      revocations,
      keys: {
        verificationKeys: (names) => keys.verifiers(names, 'kid', 0),
        awaitVerificationKeys: async () => [],
      },
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenRefusedError) return error.code;
    throw error;
  }
}

describe('a clock that is behind that of the gateways which share a store', () => {
  it.each([
    ['a token of one of them', { iat: TIME + 20 }, 25, 'accepted'],
    ['the same without a store', { iat: TIME + 20 }, undefined, 'token_not_yet_valid'],
    ['one that is too new by that clock as well', { iat: TIME + 40 }, 25, 'token_not_yet_valid'],
    ['one that begins later', { nbf: TIME + 40 }, 25, 'token_not_yet_valid'],
    ['one that has begun', { nbf: TIME + 20 }, 25, 'accepted'],
    ['one that is over by that clock', { iat: TIME + 20, exp: TIME + 22 }, 40, 'token_expired'],
    ['one that is over by this clock', { exp: TIME - 20 }, -60, 'token_expired'],
    ['a clock that is ahead', { iat: TIME }, -60, 'accepted'],
  ] as const)('%s', async (_what, claims, shared, expected) => {
    expect(await verdict(claims, shared)).toBe(expected);
  });
});
