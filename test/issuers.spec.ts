// The recipes of docs/issuers.md, each with tokens of the shape that the provider documents. The gateway itself
// runs them in slow/issuers.e2e-spec.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { authOptions } from '../src/config/index.js';
import { TokenRefusedError } from '../src/core/errors/index.js';
import { KeySet, type KeySource } from '../src/core/keys/index.js';
import { readEnvironment } from '../src/environment/index.js';
import { compilePolicy, verifyToken, type RoutePolicyOptions } from '../src/core/verify/index.js';
import { IntrospectionEndpoints } from '../src/jwks/index.js';
import { blocksOf } from './helpers/pages/manual.js';
import {
  answerOf,
  COMMON,
  issueAs,
  now,
  PROVIDERS,
  type Claims,
  type Provider,
} from './helpers/issuers/providers.js';
import { tempFolder } from './helpers/run/resources.js';

/** Tokens of a provider, and what a gateway with the recipe's `.env` makes of them. */
async function providerOf(provider: Provider) {
  const env = parseEnv(COMMON + provider.settings);
  const { published, sign } = await issueAs(provider);
  const set = KeySet.parse(JSON.stringify(published), String(env.VALIDATOR_ISSUER), true);
  const options = authOptions(readEnvironment(env));
  // Where the recipe leads to; nothing is fetched in this test.
  const source: KeySource =
    env.VALIDATOR_JWK_URL === undefined
      ? { discover: String(env.VALIDATOR_ISSUER) }
      : { url: env.VALIDATOR_JWK_URL };

  const verdict = async (claims: Claims, route: RoutePolicyOptions): Promise<string> => {
    const token = await sign(claims);
    try {
      await verifyToken(token, compilePolicy(route, options), {
        keys: {
          verificationKeys: (names, from) => {
            expect(from).toEqual(source);
            return set.verifiers(names, 'kid', now);
          },
          awaitVerificationKeys: () => Promise.resolve([]),
        },
        introspector: {
          introspect: (about, { url, clientFile }) => {
            expect([about, { url, clientFile }]).toEqual([
              token,
              { url: provider.asked?.url, clientFile: provider.asked?.clientFile },
            ]);
            const { active: _active, ...answer } = answerOf(claims);
            return Promise.resolve(answer);
          },
        },
      });
      return 'accepted';
    } catch (error) {
      if (error instanceof TokenRefusedError) return error.code;
      throw error;
    }
  };
  return { verdict };
}

describe.each(Object.entries(PROVIDERS))('%s', (_name, provider) => {
  const { claims, route, closed } = provider;
  let verdict: Awaited<ReturnType<typeof providerOf>>['verdict'];
  beforeAll(async () => ({ verdict } = await providerOf(provider)));

  it('opens routes with its tokens, as far as its roles and scopes go', async () => {
    expect(await verdict(claims, {})).toBe('accepted');
    expect(await verdict(claims, route)).toBe('accepted');
    expect(await verdict(claims, closed)).toMatch(/^(?:roles|scopes)_missing$/);
  });

  const refused: Provider['refused'] = [
    ...provider.refused,
    ['an old token', { ...claims, exp: now - 60 }, 'token_expired'],
  ];
  it.each(refused)('does not accept %s', async (_what, other, code) => {
    expect(await verdict(other, route)).toBe(code);
  });
});

it('the file of a client is taken as it is shown', async () => {
  const [settings, file] = blocksOf('issuers', 'Tokens that are no JWT', 'ini', 'json');
  const { introspection } = authOptions(readEnvironment(parseEnv(settings)));
  const clientFile = join(tempFolder('client'), 'introspection.json');
  writeFileSync(clientFile, file, { mode: 0o600 });
  const endpoints = new IntrospectionEndpoints({ reloadIntervalMs: 0 });
  const opened = endpoints.open({ url: String(introspection?.url), clientFile });
  await expect(opened).resolves.toBeUndefined();
  endpoints.onApplicationShutdown();
});

it('each recipe of the page is tested', () => {
  const tested = Object.keys(PROVIDERS).map((name) => name.split(/ \(|,| with /)[0]);
  expect([...new Set(tested)]).toEqual([
    'Keycloak',
    'Auth0',
    'Okta',
    'Microsoft Entra ID',
    'AWS Cognito',
    'Google',
    'Zitadel',
    'Supabase',
    'Firebase',
    'Duende IdentityServer',
    'Ory Hydra',
    "Keycloak's lightweight tokens",
  ]);
});
