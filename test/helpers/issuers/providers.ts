// What identity providers publish and send, in the shapes that they document (2026-11-27), and the recipes of
// docs/issuers.md for them.
import { createHash, KeyObject, randomUUID, X509Certificate } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { RoutePolicyOptions } from '../../../src/core/verify/index.js';
import { createCertificate } from '../network/certificate.js';
import { blocksOf } from '../pages/manual.js';

/** Claims of a token. */
export type Claims = Record<string, unknown>;

/** A key and its certificate, as sets show them. */
export interface PublishedKey {
  /** `kty` and the members that make the key. */
  members: JWK;
  kid: string;
  alg: string;
  /** DER in base64. */
  certificate: string;
  x5t: string;
  'x5t#S256': string;
}

/** What a provider sends, and what is to become of it. */
export interface Provider {
  /** The recipe. */
  settings: string;
  /** Default `RS256`. */
  alg?: string;
  /** Default `k`. */
  kid?: string;
  /** Its metadata, below its issuer; left out where it has none and the recipe names its keys. */
  metadata?: { issuer: string; jwks_uri: string } & Readonly<Record<string, unknown>>;
  /** The set that it publishes. Default: what makes the key, `use`, `kid` and `alg`. */
  keys?: (key: PublishedKey) => readonly object[];
  /** Beside `alg` and `kid`. Default: `typ: JWT`. */
  header?: object;
  /** Without times. Of a token that is asked about they are what is answered. */
  claims: Claims;
  /** Where the recipe asks about tokens (RFC 7662). */
  asked?: {
    url: string;
    clientFile?: string;
    /** The claims that are in the token itself. Left out: it is no JWT. */
    members?: readonly string[];
  };
  /** A route that the token opens. */
  route: RoutePolicyOptions;
  /** Routes that it does not open. */
  closed: RoutePolicyOptions;
  /** Tokens of the same provider and the same key that are refused, and why. */
  refused: [what: string, claims: Claims, code: string][];
}

/** Seconds since 1970. */
export const now = Math.floor(Date.now() / 1000);
const UUID = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
const withoutAud = ({ aud: _aud, ...claims }: Claims): Claims => claims;

/** What a provider publishes. */
type Shape = Pick<Provider, 'kid' | 'metadata' | 'keys'>;

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
const HYDRA: Claims = {
  aud: ['https://orders.example.com'],
  client_id: 'b1e9f2f0-1c0a-4a4e-9a3a-3c6c7f6b1c11',
  ext: { roles: ['clerk'] },
  iss: 'https://hydra.example.com',
  nbf: now - 60,
  scope: 'offline orders:read',
  sub: 'ada',
  token_type: 'Bearer',
  token_use: 'access_token',
};
const KEYCLOAK_ANSWERS: Claims = {
  ...KEYCLOAK,
  username: 'ada',
  token_type: 'Bearer',
  client_id: KEYCLOAK.azp,
};

const OTHER = await exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey);
/** A key of the set that signs nothing in these tests. */
const other = (members: object): object => ({ ...OTHER, ...members });
const plain = ({ members, kid, alg }: PublishedKey): object => ({
  ...members,
  use: 'sig',
  kid,
  alg,
});

const KEYCLOAK_PUBLISHES: Shape = {
  metadata: {
    issuer: String(KEYCLOAK.iss),
    authorization_endpoint: `${String(KEYCLOAK.iss)}/protocol/openid-connect/auth`,
    token_endpoint: `${String(KEYCLOAK.iss)}/protocol/openid-connect/token`,
    jwks_uri: `${String(KEYCLOAK.iss)}/protocol/openid-connect/certs`,
    id_token_signing_alg_values_supported: [
      'PS384', 'RS384', 'EdDSA', 'ES384', 'HS256', 'HS512', 'ES256', 'RS256', 'HS384', 'ES512', 'PS256', 'PS512', 'RS512',
    ],
    userinfo_signing_alg_values_supported: ['RS256', 'ES256', 'none'],
  },
  keys: (key) => [
    other({ kid: 'nSBMkbnN', alg: 'RSA-OAEP', use: 'enc', x5c: [key.certificate] }),
    { ...plain(key), x5c: [key.certificate], x5t: key.x5t, 'x5t#S256': key['x5t#S256'] },
  ],
}; // prettier-ignore
const AUTH0_PUBLISHES: Shape = {
  kid: 'NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg',
  metadata: {
    issuer: String(AUTH0.iss),
    token_endpoint: 'https://example.eu.auth0.com/oauth/token',
    jwks_uri: 'https://example.eu.auth0.com/.well-known/jwks.json',
    id_token_signing_alg_values_supported: ['HS256', 'RS256', 'PS256'],
  },
  keys: (key) => [
    // The digits of the thumbprint in base64url, in place of its bytes.
    {
      ...plain(key),
      x5c: [key.certificate],
      x5t: Buffer.from(Buffer.from(key.x5t, 'base64url').toString('hex').toUpperCase()).toString(
        'base64url',
      ),
    },
    other({ alg: 'RS256', use: 'sig', kid: 'next', x5t: 'bmV4dA' }),
  ],
};
const OKTA_PUBLISHES: Shape = {
  kid: 'FHRuS2NpwE8GyQ6gdhkgQqjL9VeQWtdFVnGG5vqB2Ac',
  metadata: {
    issuer: String(OKTA.iss),
    token_endpoint: `${String(OKTA.iss)}/v1/token`,
    jwks_uri: `${String(OKTA.iss)}/v1/keys`,
    id_token_signing_alg_values_supported: ['RS256'],
  },
};
const ENTRA_PUBLISHES: Shape = {
  metadata: {
    issuer: String(ENTRA.iss),
    token_endpoint: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`,
    jwks_uri: `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`,
    id_token_signing_alg_values_supported: ['RS256'],
  },
  // No alg, and the kid twice.
  keys: ({ members, kid, certificate }) => [
    {
      ...members,
      use: 'sig',
      kid,
      x5t: kid,
      x5c: [certificate],
      cloud_instance_name: 'microsoftonline.com',
      issuer: ENTRA.iss,
    },
  ],
};
const COGNITO_PUBLISHES: Shape = {
  kid: '1234example=',
  metadata: {
    issuer: String(COGNITO.iss),
    jwks_uri: `${String(COGNITO.iss)}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
  },
  // One for ID tokens, one for access tokens.
  keys: (key) => [other({ alg: 'RS256', use: 'sig', kid: '5678example=' }), plain(key)],
};
const GOOGLE_PUBLISHES: Shape = {
  metadata: {
    issuer: 'https://accounts.google.com',
    token_endpoint: 'https://oauth2.googleapis.com/token',
    jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
    id_token_signing_alg_values_supported: ['RS256'],
  },
};
const ZITADEL_PUBLISHES: Shape = {
  kid: '296428938463846294',
  metadata: {
    issuer: String(ZITADEL.iss),
    jwks_uri: `${String(ZITADEL.iss)}/oauth/v2/keys`,
    id_token_signing_alg_values_supported: ['EdDSA', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
  },
}; // prettier-ignore
const SUPABASE_PUBLISHES: Shape = {
  keys: (key) => [{ ...plain(key), ext: true, key_ops: ['verify'] }],
};
const FIREBASE_PUBLISHES: Shape = {
  keys: (key) => [other({ alg: 'RS256', use: 'sig', kid: 'next' }), plain(key)],
};
const DUENDE_PUBLISHES: Shape = {
  kid: '51D3B9B1A2A5F7A4C0F0F7F0C2B1C6A1',
  metadata: {
    issuer: String(DUENDE.iss),
    jwks_uri: `${String(DUENDE.iss)}/.well-known/openid-configuration/jwks`,
    id_token_signing_alg_values_supported: ['RS256'],
  },
};
const HYDRA_PUBLISHES: Shape = {
  metadata: {
    issuer: String(HYDRA.iss),
    token_endpoint: `${String(HYDRA.iss)}/oauth2/token`,
    jwks_uri: `${String(HYDRA.iss)}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
  },
};

const [DUENDE_RESOURCES, DUENDE_SCOPES] = blocksOf(
  'issuers',
  'Duende IdentityServer',
  'ini',
  'ini',
);

/** Each provider of the page, some of them twice. */
export const PROVIDERS: Record<string, Provider> = {
  Keycloak: {
    settings: blocksOf('issuers', 'Keycloak', 'ini')[0],
    ...KEYCLOAK_PUBLISHES,
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
    ...AUTH0_PUBLISHES,
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
    ...AUTH0_PUBLISHES,
    header: { typ: 'at+jwt' },
    claims: { ...AUTH0, azp: undefined, client_id: 'my_client_id', jti: '73WakrfVbNJBaAmhQtEeDv' },
    route: { roles: ['read:orders'] },
    closed: { scopes: ['write:orders'] },
    refused: [],
  },
  Okta: {
    settings: blocksOf('issuers', 'Okta', 'ini')[0],
    ...OKTA_PUBLISHES,
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
    ...ENTRA_PUBLISHES,
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
    ...ENTRA_PUBLISHES,
    claims: { ...ENTRA, groups: Array.from({ length: 200 }, () => UUID) },
    route: { roles: ['Clerk'] },
    closed: { roles: [UUID] },
    refused: [],
  },
  'AWS Cognito': {
    settings: blocksOf('issuers', 'AWS Cognito', 'ini')[0],
    ...COGNITO_PUBLISHES,
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
    ...GOOGLE_PUBLISHES,
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
    ...ZITADEL_PUBLISHES,
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
    ...ZITADEL_PUBLISHES,
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
    ...SUPABASE_PUBLISHES,
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
    ...FIREBASE_PUBLISHES,
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
    ...DUENDE_PUBLISHES,
    header: { typ: 'at+jwt' },
    claims: DUENDE,
    route: { roles: ['clerk'], scopes: ['invoice.read'] },
    closed: { scopes: ['invoice.pay'] },
    refused: [['a token without a resource', withoutAud(DUENDE), 'audience_mismatch']],
  },
  'Duende IdentityServer with scopes alone': {
    settings: DUENDE_RESOURCES + DUENDE_SCOPES,
    ...DUENDE_PUBLISHES,
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
    ...DUENDE_PUBLISHES,
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
  'Ory Hydra': {
    settings: blocksOf('issuers', 'Ory Hydra', 'ini')[0],
    ...HYDRA_PUBLISHES,
    asked: { url: 'http://hydra-admin:4445/admin/oauth2/introspect' },
    claims: HYDRA,
    route: { roles: ['clerk'], scopes: ['orders:read'] },
    closed: { roles: ['boss'] },
    refused: [
      ['a refresh token', { ...HYDRA, token_use: 'refresh_token' }, 'type_not_allowed'],
      ['a token without audience', { ...HYDRA, aud: [] }, 'audience_mismatch'],
      ['another issuer', { ...HYDRA, iss: 'https://other.example.com' }, 'issuer_mismatch'],
      ['ourselves', { ...HYDRA, iss: 'https://gateway.example.com' }, 'issuer_mismatch'],
    ],
  },
  "Keycloak's lightweight tokens": {
    settings: blocksOf('issuers', "Keycloak's lightweight tokens", 'ini')[0],
    ...KEYCLOAK_PUBLISHES,
    asked: {
      url: `${String(KEYCLOAK.iss)}/protocol/openid-connect/token/introspect`,
      clientFile: 'keys/introspection.json',
      members: ['iss', 'typ', 'azp', 'sid', 'scope'],
    },
    claims: KEYCLOAK_ANSWERS,
    route: { roles: ['clerk'] },
    closed: { roles: ['boss'] },
    refused: [
      ['a token for another client', { ...KEYCLOAK_ANSWERS, aud: 'account' }, 'audience_mismatch'],
      ['a refresh token', { ...KEYCLOAK_ANSWERS, typ: 'Refresh' }, 'type_not_allowed'],
    ],
  },
};

/** What stands in `.env` for each of them. */
export const [COMMON] = blocksOf('issuers', 'Other issuers', 'ini');

const withTimes = (claims: Claims): Claims => ({ iat: now - 60, exp: now + 3600, ...claims });

/** What a provider answers about an active token. */
export const answerOf = (claims: Claims): Claims => ({ active: true, ...withTimes(claims) });

/** What the token itself says. No two are the same, so that no answer about one is remembered for another. */
const fewOf = (claims: Claims, members: readonly string[]): Claims => ({
  ...Object.fromEntries(
    ['iat', 'exp', ...members].flatMap((name) =>
      claims[name] === undefined ? [] : [[name, claims[name]] as const],
    ),
  ),
  jti: randomUUID(),
});

/** A provider with a key: what it publishes, and its tokens. */
export async function issueAs({
  alg = 'RS256',
  kid = 'k',
  header = { typ: 'JWT' },
  keys = (key) => [plain(key)],
  asked,
}: Provider): Promise<{
  published: { keys: readonly object[] };
  /** A token of the provider, or of whoever has another key. */
  sign: (claims: Claims, key?: CryptoKey) => Promise<string>;
}> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const { cert } = createCertificate('signing', AUTHORITY, {
    publicKey: KeyObject.from(publicKey),
  });
  const { raw } = new X509Certificate(cert);
  const digest = (hash: string): string => createHash(hash).update(raw).digest('base64url');
  const key = {
    members: await exportJWK(publicKey),
    kid,
    alg,
    certificate: raw.toString('base64'),
    x5t: digest('sha1'),
    'x5t#S256': digest('sha256'),
  };
  return {
    published: { keys: keys(key) },
    sign: async (claims, signer = privateKey) => {
      if (asked !== undefined && asked.members === undefined) return `ory_at_${randomUUID()}.k-Xz`;
      return new SignJWT(withTimes(asked?.members ? fewOf(claims, asked.members) : claims))
        .setProtectedHeader({ alg, kid, ...header })
        .sign(signer);
    },
  };
}

const AUTHORITY = createCertificate('Providers').authority;
