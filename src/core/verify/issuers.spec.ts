import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { TokenRefusedError } from '../errors/index.js';
import type { JwsKey } from '../jws/index.js';
import { generateJwk, importJwk, KeySet, type KeyNames, type KeySource } from '../keys/index.js';
import { nameOf, tokenDigest, type TokenNames } from '../revocation/index.js';
import { signToken } from '../sign/index.js';
import {
  compilePolicy,
  foreignIssuerOf,
  varyPolicy,
  verifyToken,
  type IssuerOptions,
  type PolicyDefaults,
  type RoutePolicyOptions,
  type TokenPolicy,
  type Verification,
} from './index.js';

/** Three issuers whose keys have one and the same kid. */
const ISSUERS = ['https://own', 'https://a', 'https://b'] as const;
type Issuer = (typeof ISSUERS)[number];
const KID = 'k1';
const AUDIENCE = 'api';

const signing = new Map<Issuer, JwsKey>();
const sets = new Map<KeySource | undefined, KeySet>();
const SOURCES: Record<Issuer, KeySource> = {
  'https://own': { path: 'own.json' },
  'https://a': { path: 'a.json' },
  'https://b': { path: 'b.json' },
};

beforeAll(async () => {
  for (const issuer of ISSUERS) {
    const jwk = { ...generateJwk('ES256'), kid: KID, alg: 'ES256' };
    const imported = importJwk(jwk);
    if (typeof imported === 'string') throw new Error(imported);
    signing.set(issuer, imported.key);
    sets.set(SOURCES[issuer], KeySet.parse(JSON.stringify(jwk), issuer));
  }
});

const keys: Verification['keys'] = {
  verificationKeys: (names: KeyNames, source?: KeySource) =>
    sets.get(source)?.verifiers(names, 'kid', 0) ?? [],
  awaitVerificationKeys: () => Promise.resolve([]),
};

const issuersOf = (...issuers: readonly Issuer[]) =>
  issuers.map((issuer) => ({
    issuer,
    keys: SOURCES[issuer],
    algorithms: ['ES256'] as const,
    own: issuer === 'https://own',
  }));
const DEFAULTS = { algorithms: ['ES256'], issuer: 'https://own', audience: AUDIENCE } as const;
const policyFor = (...issuers: readonly Issuer[]) =>
  compilePolicy({ issuers: issuersOf(...issuers) }, DEFAULTS);

function token(iss: unknown, key: Issuer, claims: object = {}): string {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return signToken(
    { iss, aud: AUDIENCE, sub: 'u1', jti: randomUUID(), exp, ...claims },
    signing.get(key) as JwsKey,
    { alg: 'ES256', kid: KID, typ: 'JWT', full: false },
  ) as string;
}

async function verdict(
  jwt: string,
  policy: ReturnType<typeof policyFor>,
  more = {},
): Promise<string> {
  try {
    await verifyToken(jwt, policy, { keys, ...more });
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenRefusedError) return error.code;
    throw error;
  }
}

/** The expected result for a token with this `iss` that is signed with the key of an issuer. */
function expectedOf(accepted: readonly Issuer[], iss: Issuer, key: Issuer): string {
  if (!accepted.includes(iss)) return 'issuer_mismatch';
  return iss === key ? 'accepted' : 'signature_invalid';
}

describe('with several issuers a key speaks for its own issuer only', () => {
  const routes: [string, readonly Issuer[]][] = [
    ['all three', ISSUERS],
    ['own and a', ['https://own', 'https://a']],
    ['b', ['https://b']],
  ];
  const table = routes.flatMap(([name, accepted]) =>
    ISSUERS.flatMap((iss) =>
      ISSUERS.map((key): [string, Issuer, Issuer, string] => [
        name,
        iss,
        key,
        expectedOf(accepted, iss, key),
      ]),
    ),
  );
  it.each(table)('a route for %s, iss %s, key of %s: %s', async (name, iss, key, expected) => {
    const accepted = routes.find(([route]) => route === name)?.[1] ?? [];
    expect(await verdict(token(iss, key), policyFor(...accepted))).toBe(expected);
  });

  it.each([undefined, null, 1, ['https://a'], { iss: 'https://a' }, 'https://a/', 'HTTPS://A', ''])(
    'iss %j is none of them',
    async (iss) => {
      expect(await verdict(token(iss, 'https://a'), policyFor(...ISSUERS))).toBe('issuer_mismatch');
    },
  );
});

it('each issuer has its own audience and algorithms', async () => {
  const policy = compilePolicy(
    {
      issuers: [
        { issuer: 'https://a', keys: SOURCES['https://a'], audience: 'for-a' },
        { issuer: 'https://b', keys: SOURCES['https://b'], algorithms: ['RS256'] },
      ],
    },
    DEFAULTS,
  );
  expect(await verdict(token('https://a', 'https://a'), policy)).toBe('audience_mismatch');
  const forA = token('https://a', 'https://a', { aud: 'for-a' });
  expect(await verdict(forA, policy)).toBe('accepted');
  expect(await verdict(token('https://b', 'https://b'), policy)).toBe('algorithm_not_allowed');
  const anybody = varyPolicy(policy, { anyAudience: true });
  expect(await verdict(token('https://a', 'https://a'), anybody)).toBe('accepted');
});

it('each issuer has its own claim with the audience, its own profile, and tokens without aud', async () => {
  const at = (iss: Issuer, claims: object): string =>
    signToken(
      { iss, sub: 'u1', exp: Math.floor(Date.now() / 1000) + 60, ...claims },
      signing.get(iss) as JwsKey,
      { alg: 'ES256', kid: KID, typ: 'at+jwt', full: false },
    ) as string;
  const policy = compilePolicy(
    {
      issuers: [
        { issuer: 'https://own', keys: SOURCES['https://own'], own: true },
        { issuer: 'https://a', keys: SOURCES['https://a'], audienceClaim: 'client_id' },
        { issuer: 'https://b', keys: SOURCES['https://b'], audience: 'unchecked' },
      ],
    },
    DEFAULTS,
  );
  expect(await verdict(at('https://a', { client_id: AUDIENCE }), policy)).toBe('accepted');
  expect(await verdict(at('https://a', { aud: AUDIENCE }), policy)).toBe('audience_mismatch');
  expect(await verdict(at('https://b', {}), policy)).toBe('accepted');
  // Our own tokens need the claims of RFC 9068, those of other issuers only if the option `profile` says so.
  expect(await verdict(at('https://own', { aud: AUDIENCE }), policy)).toBe('claim_missing');
});

describe('names in revocations carry the issuer', () => {
  const seen: TokenNames[] = [];
  const revocations = {
    noteExpiry: () => undefined,
    isRevoked: (names: TokenNames) => {
      seen.push(names);
      return false;
    },
  };
  it('but for our own tokens', async () => {
    for (const issuer of ISSUERS)
      await verdict(token(issuer, issuer, { jti: 'one' }), policyFor(...ISSUERS), { revocations });
    expect(seen.map(({ issuer }) => issuer)).toEqual([undefined, 'https://a', 'https://b']);
    const ids = seen.map((names) => nameOf(names, 'jti'));
    expect(ids[0]).toBe('one');
    expect(new Set(ids).size).toBe(3);
    expect(new Set(seen.map(tokenDigest)).size).toBe(3);
  });
});

describe('an issuer that is not listed is asked about', () => {
  const find = (iss: string, compile: (one: IssuerOptions) => TokenPolicy) =>
    Promise.resolve(iss === 'https://b' ? compile({ issuer: iss, keys: SOURCES[iss] }) : undefined);
  const openPolicy = (route: RoutePolicyOptions, defaults: PolicyDefaults = DEFAULTS) =>
    compilePolicy(route, { adminRoles: ['boss'], ...defaults }, undefined, find);
  const listed = { ...DEFAULTS, issuers: issuersOf('https://own', 'https://a') };

  it.each<[string, PolicyDefaults, readonly Issuer[]]>([
    ['one issuer', DEFAULTS, ['https://own', 'https://b']],
    ['several issuers', listed, ISSUERS],
    ['none', { ...DEFAULTS, issuer: [] }, ['https://b']],
  ])('beside %s, with its own keys', async (_what, defaults, accepted) => {
    const policy = openPolicy({}, defaults);
    // The configured keys are our own.
    const ownKeys = {
      keys: {
        ...keys,
        verificationKeys: (names: KeyNames, source?: KeySource) =>
          keys.verificationKeys(names, source ?? SOURCES['https://own']),
      },
    };
    for (const iss of ISSUERS)
      for (const key of ISSUERS)
        expect([iss, key, await verdict(token(iss, key), policy, ownKeys)]).toEqual([
          iss,
          key,
          expectedOf(accepted, iss, key),
        ]);
    for (const iss of [undefined, 7, ['https://b'], 'https://c'])
      expect(await verdict(token(iss, 'https://b'), policy, ownKeys)).toBe('issuer_mismatch');
    const anybody = varyPolicy(policy, { anyAudience: true });
    const elsewhere = token('https://b', 'https://b', { aud: 'elsewhere' });
    expect(await verdict(elsewhere, anybody)).toBe('accepted');
    expect(await verdict(elsewhere, policy)).toBe('audience_mismatch');
    expect(foreignIssuerOf(policy, 'https://b')).toBe('https://b');
    expect(foreignIssuerOf(policy, 'https://own')).toBe(
      accepted.includes('https://own') ? undefined : 'https://own',
    );
  });

  it.each<[string, RoutePolicyOptions]>([
    ['admin', { admin: true }],
    ['an issuer of its own', { issuer: 'https://a' }],
    ['issuers of its own', { issuers: issuersOf('https://a') }],
    ['a URL of keys', { jwkUrl: 'https://keys' }],
    ['a file of keys', { jwkLocalPath: 'keys.json' }],
  ])('but not for a route with %s', (_what, route) => {
    expect(openPolicy(route).unlistedIssuer).toBeUndefined();
    expect(openPolicy(route, listed).unlistedIssuer).toBeUndefined();
  });

  it('and what is listed is not', async () => {
    const asked: string[] = [];
    const policy = compilePolicy({}, listed, undefined, async (iss) => {
      asked.push(iss);
      return undefined;
    });
    for (const iss of ISSUERS) await verdict(token(iss, iss), policy);
    expect(asked).toEqual(['https://b']);
  });
});

describe('a route with keys of its own', () => {
  const defaults = { ...DEFAULTS, issuers: issuersOf('https://own', 'https://a') };
  it.each<[RoutePolicyOptions, PolicyDefaults, string | undefined]>([
    [{ jwkUrl: 'https://k', issuer: 'https://b' }, DEFAULTS, 'https://b'],
    [{ jwkLocalPath: 'k', issuer: 'https://b' }, DEFAULTS, 'https://b'],
    [{ jwkUrl: 'https://k', issuer: 'https://b' }, defaults, 'https://b'],
    [{ jwkUrl: 'https://k' }, DEFAULTS, undefined],
    [{ jwkUrl: 'https://k' }, defaults, undefined],
    [{ issuer: 'https://b' }, DEFAULTS, undefined],
  ])('%j with %j: names of its tokens are those of %s', (route, of, issuer) => {
    const policy = compilePolicy(route, of);
    expect(policy.perIssuer).toBeUndefined();
    expect(foreignIssuerOf(policy, route.issuer ?? 'https://own')).toBe(issuer);
  });
});

describe('is refused when a policy is made:', () => {
  const a = { issuer: 'https://a', jwksUri: 'https://a/jwks' };
  it.each<[string, object, RegExp]>([
    ['no issuer', { issuers: [] }, /'issuers' is empty/],
    ['one twice', { issuers: [a, a] }, /names https:\/\/a twice/],
    ['two places for keys', { issuers: [{ ...a, jwkLocalPath: 'x' }] }, /several of/],
    ['issuer beside issuers', { issuers: [a], issuer: 'https://b' }, /both set/],
    ['jwkUrl beside issuers', { issuers: [a], jwkUrl: 'https://b' }, /both set/],
    ['an unknown algorithm', { issuers: [{ ...a, algorithms: ['none'] }] }, /'none' is not/],
    ['an empty audience', { issuers: [{ ...a, audience: '' }] }, /'audience' is empty/],
  ])('%s', (_what, route, problem) => {
    expect(() => compilePolicy(route, DEFAULTS)).toThrow(problem);
  });
});
