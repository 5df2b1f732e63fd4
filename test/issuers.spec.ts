// The recipes of docs/issuers.md, each with tokens of the shape that the provider documents (2026-11-27).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { authOptions } from '../src/config/index.js';
import { TokenRefusedError } from '../src/core/errors/index.js';
import { KeySet, type KeySource } from '../src/core/keys/index.js';
import { readEnvironment } from '../src/environment/index.js';
import {
  compilePolicy,
  verifyToken,
  type IntrospectionOptions,
  type RoutePolicyOptions,
} from '../src/core/verify/index.js';
import { IntrospectionEndpoints } from '../src/jwks/index.js';
import { blocksOf } from './helpers/manual.js';
import { tempFolder } from './helpers/resources.js';

type Claims = Record<string, unknown>;

/** What a provider sends, and what is to become of it. */
interface Provider {
  /** The recipe. */
  settings: string;
  /** Default `RS256`. */
  alg?: string;
  /** As the provider publishes its keys, beside what makes the key. */
  jwk?: object;
  /** Beside `alg` and `kid`. Default: `typ: JWT`. */
  header?: object;
  /** Without times. */
  claims: Claims;
  /** A route that the token opens. */
  route: RoutePolicyOptions;
  /** Routes that it does not open. */
  closed: RoutePolicyOptions;
  /** Tokens of the same provider and the same key that are refused, and why. */
  refused: [what: string, claims: Claims, code: string][];
}

const now = Math.floor(Date.now() / 1000);
const UUID = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
const withoutAud = ({ aud: _aud, ...claims }: Claims): Claims => claims;

const KEYCLOAK: Claims = {
  jti: 'd58f5dc8-fd8f-462b-8a19-716f8f83985b',
  iss: 'https://id.example.com/realms/shop',
  aud: ['orders.api', 'account'],
  sub: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
  typ: 'Bearer',
  azp: 'shop-frontend',
  session_state: '2a88c258-f73a-4103-b862-e1fbd8f4e04e',
  acr: '1',
  'allowed-origins': ['https://shop.example.com'],
  realm_access: { roles: ['offline_access', 'default-roles-shop', 'uma_authorization'] },
  resource_access: {
    'orders.api': { roles: ['clerk'] },
    account: { roles: ['manage-account', 'view-profile'] },
  },
  scope: 'email profile',
  sid: '2a88c258-f73a-4103-b862-e1fbd8f4e04e',
  email_verified: true,
  preferred_username: 'ada',
};
const AUTH0: Claims = {
  iss: 'https://example.eu.auth0.com/',
  sub: 'auth0|6553da60a54af58e29493993',
  aud: ['https://orders.example.com', 'https://example.eu.auth0.com/userinfo'],
  azp: 'my_client_id',
  scope: 'openid profile read:orders',
  gty: 'password',
  permissions: ['read:orders', 'write:orders'],
};
const OKTA: Claims = {
  ver: 1,
  jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
  iss: 'https://example.okta.com/oauth2/default',
  aud: 'api://default',
  cid: '0oabzljih3rnr6aGt0h7',
  uid: '00uid4BxXw6I6TV4m0g3',
  scp: ['openid', 'orders:read'],
  sub: 'ada@example.com',
  groups: ['Everyone', 'Clerks'],
};
const TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeee';
const ENTRA: Claims = {
  aud: '00001111-aaaa-2222-bbbb-3333cccc4444',
  iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  nbf: now - 60,
  aio: 'AXQAi/8TAAAA',
  azp: '11112222-bbbb-3333-cccc-4444dddd5555',
  azpacr: '0',
  name: 'Ada',
  oid: UUID,
  preferred_username: 'ada@example.com',
  rh: '0.AS8AMe_N',
  scp: 'Orders.Read Orders.Write',
  roles: ['Clerk'],
  sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
  tid: TENANT,
  uti: 'fqiBqXLPj0eQa82S-IYFAA',
  ver: '2.0',
};
const COGNITO: Claims = {
  sub: UUID,
  device_key: UUID,
  'cognito:groups': ['admin'],
  token_use: 'access',
  scope: 'aws.cognito.signin.user.admin',
  auth_time: now - 60,
  iss: 'https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example',
  origin_jti: UUID,
  jti: UUID,
  client_id: '57cbishk4j24pabc1234567890',
  username: 'janedoe@example.com',
};
const GOOGLE: Claims = {
  iss: 'https://accounts.google.com',
  azp: '1234987819200.apps.googleusercontent.com',
  aud: '1234987819200.apps.googleusercontent.com',
  sub: '10769150350006150715113082367',
  at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
  hd: 'example.com',
  email: 'jsmith@example.com',
  email_verified: true,
  nonce: '0394852-3190485-2490358',
};
const ZITADEL_ROLES = 'urn:zitadel:iam:org:project:roles';
const ZITADEL: Claims = {
  iss: 'https://example.zitadel.cloud',
  sub: '77776025198584418',
  aud: ['69234237810729234', '69234237810729019'],
  azp: '69234237810729234',
  nbf: now - 60,
  jti: '69234237813329048',
  [ZITADEL_ROLES]: { clerk: { '178204173316174381': 'acme.example.com' } },
};
const SUPABASE: Claims = {
  iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
  aud: 'authenticated',
  sub: '123e4567-e89b-12d3-a456-426614174000',
  role: 'authenticated',
  aal: 'aal1',
  session_id: UUID,
  email: 'user@example.com',
  phone: '',
  is_anonymous: false,
  amr: [{ method: 'password', timestamp: now - 60 }],
  app_metadata: { provider: 'email', providers: ['email'], roles: ['clerk'] },
  user_metadata: { roles: ['admin'] },
};
const FIREBASE: Claims = {
  iss: 'https://securetoken.google.com/example-shop',
  aud: 'example-shop',
  auth_time: now - 60,
  user_id: 'tgu0Ptg4LrbZXZ',
  sub: 'tgu0Ptg4LrbZXZ',
  email: 'user@example.com',
  email_verified: true,
  roles: ['clerk'],
  firebase: { identities: { email: ['user@example.com'] }, sign_in_provider: 'password' },
};
const DUENDE: Claims = {
  iss: 'https://id.example.com',
  nbf: now - 60,
  aud: ['invoice'],
  scope: ['openid', 'invoice.read'],
  amr: ['pwd'],
  client_id: 'interactive',
  sub: '88421113',
  auth_time: now - 60,
  idp: 'local',
  role: 'clerk',
  sid: '4D7A4A2FBC3B1D2E',
  jti: 'E6E9C2D8A1B04F6B8C7D9E0F1A2B3C4D',
};

const [DUENDE_RESOURCES, DUENDE_SCOPES] = blocksOf(
  'issuers',
  'Duende IdentityServer',
  'ini',
  'ini',
);

const PROVIDERS: Record<string, Provider> = {
  Keycloak: {
    settings: blocksOf('issuers', 'Keycloak', 'ini')[0],
    claims: KEYCLOAK,
    route: { roles: ['clerk'], scopes: ['profile'] },
    closed: { roles: ['manage-account', 'offline_access'] },
    refused: [
      ['a token for another client', { ...KEYCLOAK, aud: 'account' }, 'audience_mismatch'],
      ['its ID token', { ...KEYCLOAK, typ: 'ID', aud: 'shop-frontend' }, 'audience_mismatch'],
      [
        'a token of another realm',
        { ...KEYCLOAK, iss: `${String(KEYCLOAK.iss)}2` },
        'issuer_mismatch',
      ],
      [
        'roles in a claim of the user’s own',
        {
          ...KEYCLOAK,
          resource_access: {},
          'resource_access.orders.api.roles': ['clerk'],
          [String.raw`resource_access.orders\.api.roles`]: ['clerk'],
        },
        'roles_missing',
      ],
    ],
  },
  Auth0: {
    settings: blocksOf('issuers', 'Auth0', 'ini')[0],
    claims: AUTH0,
    route: { roles: ['read:orders', 'write:orders'], rolesMatcher: 'all', scopes: ['read:orders'] },
    closed: { roles: ['delete:orders'] },
    refused: [
      ['its ID token', { ...AUTH0, aud: 'my_client_id' }, 'audience_mismatch'],
      [
        'an issuer without its slash',
        { ...AUTH0, iss: AUTH0.iss?.toString().slice(0, -1) },
        'issuer_mismatch',
      ],
    ],
  },
  'Auth0 (profile of RFC 9068)': {
    settings: blocksOf('issuers', 'Auth0', 'ini')[0],
    header: { typ: 'at+jwt' },
    claims: { ...AUTH0, azp: undefined, client_id: 'my_client_id', jti: '73WakrfVbNJBaAmhQtEeDv' },
    route: { roles: ['read:orders'] },
    closed: { scopes: ['write:orders'] },
    refused: [],
  },
  Okta: {
    settings: blocksOf('issuers', 'Okta', 'ini')[0],
    header: {},
    claims: OKTA,
    route: { roles: ['Clerks'], scopes: ['orders:read'] },
    closed: { scopes: ['orders:write'] },
    refused: [
      [
        'its ID token',
        { ...OKTA, aud: OKTA.cid, jti: 'ID.4eAWJOCMB3SX8XewDfVR' },
        'audience_mismatch',
      ],
      [
        'a token of the org’s own server',
        { ...OKTA, iss: 'https://example.okta.com' },
        'issuer_mismatch',
      ],
    ],
  },
  'Microsoft Entra ID': {
    settings: blocksOf('issuers', 'Microsoft Entra ID', 'ini')[0],
    // No alg, and the kid twice.
    jwk: { alg: undefined, x5t: 'k' },
    claims: ENTRA,
    route: { roles: ['Clerk'], scopes: ['Orders.Read', 'Orders.Write'], scopesMatcher: 'all' },
    closed: { roles: ['Orders.Read'] },
    refused: [
      [
        'a token of version 1',
        { ...ENTRA, iss: `https://sts.windows.net/${TENANT}/` },
        'issuer_mismatch',
      ],
      [
        'a token of another tenant',
        { ...ENTRA, iss: String(ENTRA.iss).replace('aaaa', 'bbbb') },
        'issuer_mismatch',
      ],
      [
        'a token for Microsoft Graph',
        { ...ENTRA, aud: 'https://graph.microsoft.com' },
        'audience_mismatch',
      ],
    ],
  },
  'Microsoft Entra ID with 200 groups': {
    settings: blocksOf('issuers', 'Microsoft Entra ID', 'ini')[0],
    claims: { ...ENTRA, groups: Array.from({ length: 200 }, () => UUID) },
    route: { roles: ['Clerk'] },
    closed: { roles: [UUID] },
    refused: [],
  },
  'AWS Cognito': {
    settings: blocksOf('issuers', 'AWS Cognito', 'ini')[0],
    header: {},
    claims: COGNITO,
    route: { roles: ['admin'], scopes: ['aws.cognito.signin.user.admin'] },
    closed: { roles: ['user'] },
    refused: [
      ['a token of another app client', { ...COGNITO, client_id: 'other' }, 'audience_mismatch'],
      [
        'its ID token',
        { ...COGNITO, token_use: 'id', aud: COGNITO.client_id, client_id: undefined },
        'audience_mismatch',
      ],
    ],
  },
  Google: {
    settings: blocksOf('issuers', 'Google', 'ini')[0],
    claims: GOOGLE,
    route: { roles: ['example.com'] },
    closed: { roles: ['other.example'] },
    refused: [
      [
        'a token for another application',
        { ...GOOGLE, aud: '1.apps.googleusercontent.com' },
        'audience_mismatch',
      ],
      ['a private account', { ...GOOGLE, hd: undefined }, 'roles_missing'],
    ],
  },
  Zitadel: {
    settings: blocksOf('issuers', 'Zitadel', 'ini')[0],
    claims: ZITADEL,
    route: { roles: ['clerk'] },
    closed: { roles: ['admin', '178204173316174381'] },
    refused: [
      [
        'a token of another project',
        { ...ZITADEL, aud: ['69234237810729234'] },
        'audience_mismatch',
      ],
      ['a user without roles', { ...ZITADEL, [ZITADEL_ROLES]: {} }, 'roles_missing'],
    ],
  },
  'Zitadel (roles as its table of claims shows them)': {
    settings: blocksOf('issuers', 'Zitadel', 'ini')[0],
    claims: {
      ...ZITADEL,
      [ZITADEL_ROLES]: [{ clerk: { id1: 'acme.zitadel.cloud', id2: 'caos.example.com' } }],
    },
    route: { roles: ['clerk'] },
    closed: { roles: ['id1'] },
    refused: [],
  },
  Supabase: {
    settings: blocksOf('issuers', 'Supabase', 'ini')[0],
    alg: 'ES256',
    claims: SUPABASE,
    route: { roles: ['clerk'] },
    // Users write user_metadata themselves.
    closed: { roles: ['admin', 'authenticated'] },
    refused: [
      ['the anonymous key', { ...SUPABASE, aud: 'anon' }, 'audience_mismatch'],
      ['an anonymous user', { ...SUPABASE, is_anonymous: true, app_metadata: {} }, 'roles_missing'],
    ],
  },
  Firebase: {
    settings: blocksOf('issuers', 'Firebase', 'ini')[0],
    claims: FIREBASE,
    route: { roles: ['clerk'] },
    closed: { roles: ['admin'] },
    refused: [
      [
        'a token of another project',
        { ...FIREBASE, iss: 'https://securetoken.google.com/other', aud: 'other' },
        'issuer_mismatch',
      ],
      ['a custom token', { ...FIREBASE, auth_time: undefined }, 'claim_missing'],
    ],
  },
  'Duende IdentityServer': {
    settings: DUENDE_RESOURCES,
    header: { typ: 'at+jwt' },
    claims: DUENDE,
    route: { roles: ['clerk'], scopes: ['invoice.read'] },
    closed: { scopes: ['invoice.pay'] },
    refused: [['a token without a resource', withoutAud(DUENDE), 'audience_mismatch']],
  },
  'Duende IdentityServer with scopes alone': {
    settings: DUENDE_RESOURCES + DUENDE_SCOPES,
    header: { typ: 'at+jwt' },
    claims: withoutAud(DUENDE),
    route: { roles: ['clerk'], scopes: ['invoice.read'] },
    closed: { scopes: ['invoice.pay'] },
    refused: [
      [
        'a token for another API',
        { ...DUENDE, scope: ['openid', 'customer.read'] },
        'audience_mismatch',
      ],
    ],
  },
  'Duende IdentityServer, client credentials': {
    settings: DUENDE_RESOURCES,
    header: { typ: 'at+jwt' },
    claims: {
      iss: DUENDE.iss,
      nbf: DUENDE.nbf,
      aud: 'invoice',
      scope: ['invoice.read'],
      client_id: 'batch',
      jti: DUENDE.jti,
    },
    route: { scopes: ['invoice.read'] },
    closed: { roles: ['clerk'] },
    refused: [],
  },
};

const [COMMON] = blocksOf('issuers', 'Other issuers', 'ini');

/** Tokens of a provider, and what a gateway with the recipe's `.env` makes of them. */
async function providerOf({ settings, alg = 'RS256', jwk, header = { typ: 'JWT' } }: Provider) {
  const env = parseEnv(COMMON + settings);
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const { kty, n, e, crv, x, y }: JWK = await exportJWK(publicKey);
  const published = { keys: [{ kty, use: 'sig', kid: 'k', alg, n, e, crv, x, y, ...jwk }] };
  const set = KeySet.parse(JSON.stringify(published), String(env.VALIDATOR_ISSUER), true);
  const options = authOptions(readEnvironment(env));
  // Where the recipe leads to; nothing is fetched in this test.
  const source: KeySource =
    env.VALIDATOR_JWK_URL === undefined
      ? { discover: String(env.VALIDATOR_ISSUER) }
      : { url: env.VALIDATOR_JWK_URL };

  const verdict = async (claims: Claims, route: RoutePolicyOptions): Promise<string> => {
    const token = await new SignJWT({ iat: now - 60, exp: now + 3600, ...claims })
      .setProtectedHeader({ alg, kid: 'k', ...header })
      .sign(privateKey);
    try {
      await verifyToken(token, compilePolicy(route, options), {
        keys: {
          verificationKeys: (names, from) => {
            expect(from).toEqual(source);
            return set.verifiers(names, 'kid', now);
          },
          awaitVerificationKeys: () => Promise.resolve([]),
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

/** What `.env` makes of a token, when the endpoint of the recipe answers like this. */
async function verdictByAnswer(
  settings: string,
  token: string,
  answer: Claims,
  { asks, key }: { asks: IntrospectionOptions; key?: KeySet },
  route: RoutePolicyOptions = {},
): Promise<string> {
  const options = authOptions(readEnvironment(parseEnv(COMMON + settings)));
  try {
    await verifyToken(token, compilePolicy(route, options), {
      keys: {
        verificationKeys: (names) => key?.verifiers(names, 'kid', now) ?? [],
        awaitVerificationKeys: () => Promise.resolve([]),
      },
      introspector: {
        introspect: (asked, endpoint) => {
          expect([asked, endpoint]).toEqual([token, expect.objectContaining(asks)]);
          return Promise.resolve(answer);
        },
      },
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenRefusedError) return error.code;
    throw error;
  }
}

describe('tokens that are asked about', () => {
  const HYDRA: Claims = {
    aud: ['https://orders.example.com'],
    client_id: 'b1e9f2f0-1c0a-4a4e-9a3a-3c6c7f6b1c11',
    exp: now + 3600,
    ext: { roles: ['clerk'] },
    iat: now - 60,
    iss: 'https://hydra.example.com',
    nbf: now - 60,
    scope: 'offline orders:read',
    sub: 'ada',
    token_type: 'Bearer',
    token_use: 'access_token',
  };
  const OPAQUE = 'ory_at_0JzXm3FQ9Zb7c1hYv0pW5b5cJ4n8mU2m.kXkz1xQy';

  it.each<[string, Claims, RoutePolicyOptions, string]>([
    ['a token', HYDRA, { roles: ['clerk'], scopes: ['orders:read'] }, 'accepted'],
    ['another role', HYDRA, { roles: ['boss'] }, 'roles_missing'],
    ['a refresh token', { ...HYDRA, token_use: 'refresh_token' }, {}, 'type_not_allowed'],
    ['a token without audience', { ...HYDRA, aud: [] }, {}, 'audience_mismatch'],
    ['another issuer', { ...HYDRA, iss: 'https://gateway.example.com' }, {}, 'issuer_mismatch'],
  ])('Ory Hydra: %s', async (_what, answer, route, code) => {
    const [settings] = blocksOf('issuers', 'Ory Hydra', 'ini');
    const asks = { url: 'http://hydra-admin:4445/admin/oauth2/introspect', clientFile: undefined };
    expect(await verdictByAnswer(settings, OPAQUE, answer, { asks }, route)).toBe(code);
  });

  it.each<[string, Claims, RoutePolicyOptions, string]>([
    ['a token', KEYCLOAK, { roles: ['clerk'] }, 'accepted'],
    ['another role', KEYCLOAK, { roles: ['boss'] }, 'roles_missing'],
    ['a token for another client', { ...KEYCLOAK, aud: 'account' }, {}, 'audience_mismatch'],
    ['a refresh token', { ...KEYCLOAK, typ: 'Refresh' }, {}, 'type_not_allowed'],
  ])("Keycloak's lightweight tokens: %s", async (_what, answer, route, code) => {
    const [settings] = blocksOf('issuers', "Keycloak's lightweight tokens", 'ini');
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', use: 'sig', alg: 'RS256' };
    const { iss, azp } = KEYCLOAK;
    const names = ['jti', 'iss', 'typ', 'azp', 'sid', 'scope'];
    const few = Object.fromEntries(names.map((name) => [name, KEYCLOAK[name]]));
    const token = await new SignJWT({ exp: now + 300, iat: now, ...few })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'k' })
      .sign(privateKey);
    const key = KeySet.parse(JSON.stringify({ keys: [jwk] }), String(iss), true);
    const url = `${String(iss)}/protocol/openid-connect/token/introspect`;
    const asks = { url, clientFile: 'keys/introspection.json' };
    const told = { ...answer, username: 'ada', token_type: 'Bearer', client_id: azp };
    expect(await verdictByAnswer(settings, token, told, { asks, key }, route)).toBe(code);
  });

  it('by a client whose file is taken as it is shown', async () => {
    const [settings, file] = blocksOf('issuers', 'Tokens that are no JWT', 'ini', 'json');
    const { introspection } = authOptions(readEnvironment(parseEnv(settings)));
    const clientFile = join(tempFolder('client'), 'introspection.json');
    writeFileSync(clientFile, file, { mode: 0o600 });
    const endpoints = new IntrospectionEndpoints({ reloadIntervalMs: 0 });
    const opened = endpoints.open({ url: String(introspection?.url), clientFile });
    await expect(opened).resolves.toBeUndefined();
    endpoints.onApplicationShutdown();
  });
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
  ]);
});
