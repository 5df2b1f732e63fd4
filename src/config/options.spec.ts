import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnvironment, VARIABLES, type Environment } from '../environment/index.js';
import { OPTION_VARIABLES, withVariableNames } from './option-variables.js';
import * as options from './options.js';

const directory = mkdtempSync(join(tmpdir(), 'signet-'));
const file = join(directory, 'secret');
writeFileSync(file, 'contents of a file\n');
afterAll(() => rmSync(directory, { recursive: true }));

type Raw = Partial<Record<keyof Environment, string>>;

const BASE: Raw = {
  BACKEND_HOST: 'http://backend',
  TRUST_PROXY: 'loopback',
  SIGNER_ISSUER: 'https://own.example',
  VALIDATOR_AUDIENCE: 'https://own-api.example',
};

/** A value for each variable that is not its default. */
const OTHER: Readonly<Record<keyof Environment, string>> = {
  NODE_ENV: 'production',
  HOST: '::1',
  PORT: '1',
  MANAGEMENT_HOST: '::1',
  MANAGEMENT_PORT: '2',
  WORKERS: '3',
  TRUST_PROXY: 'true',
  CORS_ORIGINS: 'https://app.example',
  BODY_LIMIT: '1kb',
  SHUTDOWN_DELAY_MS: '4',
  SHUTDOWN_TIMEOUT_MS: '5',
  PUBLIC_URL: 'https://gateway.example',
  BACKEND_HOST: 'http://login',
  BACKEND_TIMEOUT_MS: '6',
  BACKEND_MAX_BODY: '2kb',
  BACKEND_INPUT_HEADERS: 'authorization',
  BACKEND_INPUT_QUERY_STRINGS: 'q',
  BACKEND_TOKEN: 'on',
  BACKEND_TOKEN_AUDIENCE: 'https://backend',
  BACKEND_TOKEN_TTL: '10',
  BACKEND_FORWARDED: 'false',
  TOKEN_BACKEND_METHOD: 'GET',
  TOKEN_BACKEND_PATH: '/t',
  PRIVATE_BACKEND_PATH: '/p',
  REFRESH_BACKEND_PATH: '/r',
  REFRESH_RETRY_WINDOW: '7',
  REFRESH_ABSOLUTE_TTL: '8',
  TOKEN_BACKEND_ERRORS: 'oauth',
  TOKEN_BACKEND_GRANTS: 'password',
  TOKEN_BACKEND_AUTH_METHODS: 'client_secret_post',
  SIGNER_ALG: 'ES256',
  SIGNER_KID: 'k1',
  SIGNER_KEYS_TO_SIGN: 'receipt',
  SIGNER_REQUIRE_ALL_KEYS: 'true',
  SIGNER_JWK_LOCAL_PATH: 's.json',
  SIGNER_JWK_URL: 'https://keys.example/s.json',
  SIGNER_TYP: 'at+jwt',
  SIGNER_REFRESH_TYP: 'refresh+jwt',
  SIGNER_FULL: 'true',
  SIGNER_ISSUER: 'https://issuer.example',
  SIGNER_AUDIENCE: 'https://signed.example',
  SIGNER_REFRESH_AUDIENCE: 'keep',
  // Longer than the default of SIGNER_REFRESH_TTL.
  SIGNER_ACCESS_TTL: '9000000',
  SIGNER_REFRESH_TTL: '10000000',
  SIGNER_STALE_EXP: 'renew',
  VALIDATOR_ALG: 'EdDSA',
  VALIDATOR_JWK_LOCAL_PATH: 'v.json',
  VALIDATOR_JWK_URL: 'https://keys.example/v.json',
  VALIDATOR_JWK_CACHE_TTL: '11',
  VALIDATOR_JWK_COOLDOWN: '12',
  VALIDATOR_JWK_FINGERPRINTS: 'A'.repeat(43),
  VALIDATOR_JWK_LOCAL_CA: file,
  VALIDATOR_KEY_IDENTIFY_STRATEGY: 'x5t#S256',
  VALIDATOR_ISSUER: 'https://other.example',
  VALIDATOR_DISCOVERY: 'false',
  VALIDATOR_AUDIENCE: 'https://api.example',
  VALIDATOR_AUDIENCE_MATCHER: 'all',
  VALIDATOR_AUDIENCE_CLAIM: 'client_id',
  VALIDATOR_PROFILE: 'rfc9068',
  VALIDATOR_MAX_TOKEN_LENGTH: '20000',
  VALIDATOR_ROLES_KEY: 'groups',
  VALIDATOR_ROLES_KEY_IS_NESTED: 'true',
  VALIDATOR_ROLES_MATCHER: 'all',
  VALIDATOR_SCOPES_KEY: 'scp',
  VALIDATOR_SCOPES_MATCHER: 'all',
  VALIDATOR_REQUIRED_CLAIMS: 'sub',
  VALIDATOR_TYP: 'x+jwt',
  VALIDATOR_ID_TOKENS: 'true',
  VALIDATOR_INTROSPECTION_URL: 'https://id.example/introspect',
  VALIDATOR_INTROSPECTION_CLIENT_FILE: 'client.json',
  VALIDATOR_INTROSPECTION_TOKENS: 'all',
  VALIDATOR_INTROSPECTION_CACHE_TTL: '18',
  VALIDATOR_MTLS_HEADER: 'X-Cert',
  VALIDATOR_COOKIE_KEY: 'c',
  VALIDATOR_AUTH_HEADER_NAME: 'X-Token',
  VALIDATOR_LEEWAY: '13',
  VALIDATOR_PROPAGATE_CLAIMS: 'sub:x-user',
  VALIDATOR_SIGNATURE_CACHE: '14',
  DISABLE_JWK_SECURITY: 'true',
  JWK_HTTP_HOSTS: 'keys',
  HTTP_PROXY: 'http://proxy.example:3128',
  HTTPS_PROXY: 'http://user:password@proxy.example',
  NO_PROXY: 'localhost,.svc',
  KEY_PASSPHRASE: 'correct horse',
  KEY_PASSPHRASE_FILE: file,
  KEY_RELOAD_INTERVAL_MS: '15',
  STATE_STORE: 'redis://redis',
  ADMIN_ROLES: 'admin',
  INTROSPECTION_ROLES: 'resource-server',
  CLIENTS_FILE: 'c.json',
  DPOP: 'off',
  DPOP_NONCE: 'true',
  THROTTLE_LIMIT: '16',
  THROTTLE_TTL_MS: '1700',
  SESSION_COOKIES: 'true',
  SESSION_LIST: 'true',
  SESSION_LIMIT: '17',
  ERRORS_EXPLAIN: 'false',
  SWAGGER_ENABLED: 'false',
  EXPLAIN_PAGE: 'true',
  LOG_LEVEL: 'debug',
  LOG_FORMAT: 'json',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
};

/** The options of all modules. */
function optionsOf(raw: Raw): Record<string, object | undefined> {
  const env = readEnvironment({ ...BASE, ...raw }) as options.GatewayEnvironment;
  return {
    BackendModule: options.backendOptions(env),
    JwksModule: options.jwksOptions(env),
    SigningModule: options.signingOptions(env),
    AuthModule: options.authOptions(env),
    StateModule: options.stateOptions(env),
    MetricsModule: options.metricsOptions(env),
    TokenModule: options.tokenOptions(env),
    OAuthModule: options.oauthOptions(env),
    SessionModule: options.sessionOptions(env),
    SessionListModule: options.sessionListOptions(env),
    ClientsModule: options.clientsOptions(env),
    IntrospectionModule: options.introspectionOptions(env),
    PrivateModule: options.privateOptions(env),
    TracingModule: options.tracingOptions(env),
    WellKnownModule: options.wellKnownOptions(env),
    ThrottleModule: options.throttleOptions(env),
  };
}

/** A member by its dotted path. */
const memberOf = (of: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], of);

/** The paths of all options; members of an option are options where the table lists them as such. */
function pathsOf(of: object, listed: readonly string[], parent = ''): string[] {
  return Object.entries(of).flatMap(([name, value]) => {
    const path = parent + name;
    const members = listed.some((other) => other.startsWith(`${path}.`))
      ? pathsOf(value as object, listed, `${path}.`)
      : [];
    return members.length === 0 || listed.includes(path) ? [path].concat(members) : members;
  });
}

describe('the options of the modules', () => {
  const rows = Object.entries(OPTION_VARIABLES).flatMap(([module, variables]) =>
    Object.entries(variables).flatMap(([option, names]) =>
      [names].flat().map((name) => [module, option, name] as const),
    ),
  );

  it('are all in the table of options and variables', () => {
    const all = optionsOf({
      REFRESH_BACKEND_PATH: '/r',
      BACKEND_TOKEN: 'on',
      VALIDATOR_INTROSPECTION_URL: 'https://a.example',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
      CLIENTS_FILE: 'clients.json',
      SESSION_LIST: 'true',
    });
    const found = Object.entries(all).map(([module, values = {}]) => {
      const listed = Object.keys(OPTION_VARIABLES[module] ?? {});
      return [module, pathsOf(values, listed).toSorted()];
    });
    const listed = Object.entries(OPTION_VARIABLES).map(([module, variables]) => [
      module,
      Object.keys(variables).toSorted(),
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(listed));
  });

  it.each(rows)('%s: %s comes from %s', (module, option, name) => {
    // A session is refreshed only where there is a path for it, and the signer's keys are for own tokens.
    const base: Raw = option.startsWith('refresh.')
      ? { REFRESH_BACKEND_PATH: '/other' }
      : option.startsWith('hop.')
        ? { BACKEND_TOKEN: 'on' }
        : option === 'issuers'
          ? {
              SIGNER_ISSUER: 'https://a.example',
              VALIDATOR_ISSUER: 'https://a.example,https://b.example',
            }
          : option === 'profile'
            ? { VALIDATOR_JWK_URL: 'https://keys.example' }
            : module === 'SessionListModule'
              ? { SESSION_LIST: 'true' }
              : module === 'ClientsModule'
                ? { CLIENTS_FILE: 'clients.json' }
                : module === 'AuthModule' && option.startsWith('introspection')
                  ? {
                      VALIDATOR_INTROSPECTION_URL: 'https://a',
                      VALIDATOR_ISSUER: 'https://a,https://b',
                    }
                  : {};
    const usual = memberOf(optionsOf(base)[module], option);
    const other = memberOf(optionsOf({ ...base, [name]: OTHER[name] })[module], option);
    expect(other).not.toEqual(usual);
  });

  it('let no endpoint speak for the tokens that are signed here', () => {
    const url = { VALIDATOR_INTROSPECTION_URL: 'https://a/introspect' };
    const ownOnes = (env: Record<string, string>) =>
      options
        .authOptions(readEnvironment({ ...BASE, ...env }))
        .issuers?.map(({ issuer, own }) => [issuer, own === true]);
    const alone = { SIGNER_ISSUER: 'https://own', VALIDATOR_ISSUER: 'https://own' };
    expect(ownOnes(alone)).toBeUndefined();
    expect(ownOnes({ ...alone, ...url })).toEqual([['https://own', true]]);
    const both = { ...alone, VALIDATOR_ISSUER: 'https://own,https://a' };
    expect(ownOnes({ ...both, ...url })).toEqual([
      ['https://own', true],
      ['https://a', false],
    ]);
  });

  it('take up every variable that the process and the wiring do not', () => {
    const own = globSync('src/{process/**/*.ts,app.module.ts}')
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const unused = VARIABLES.map(({ name }) => name)
      .filter((name) => !rows.some(([, , variable]) => variable === name))
      .filter((name) => !new RegExp(String.raw`\b${name}\b`).test(own));
    expect(unused).toEqual([]);
  });
});

describe('what clients are told', () => {
  const metadata = (raw: Raw): unknown => optionsOf(raw).WellKnownModule;

  it.each<[Raw, string | undefined]>([
    // The module then uses the port of the listener.
    [{}, undefined],
    [{ PUBLIC_URL: 'https://gw.example' }, 'https://gw.example'],
    [{ NODE_ENV: 'production' }, 'https://own.example'],
    [{ NODE_ENV: 'production', PUBLIC_URL: 'https://gw.example' }, 'https://gw.example'],
    [{ NODE_ENV: 'production', SIGNER_ISSUER: 'urn:own' }, undefined],
  ])('with %j has URLs below %s', (raw, publicUrl) => {
    expect(metadata(raw)).toMatchObject({ publicUrl });
  });

  it.each<[Raw, object]>([
    [
      {},
      {
        grants: ['password', 'client_credentials'],
        authMethods: ['none', 'client_secret_basic', 'client_secret_post'],
        introspection: [],
      },
    ],
    [{ REFRESH_BACKEND_PATH: '/r', TOKEN_BACKEND_GRANTS: 'a' }, { grants: ['a', 'refresh_token'] }],
    [{ TOKEN_BACKEND_METHOD: 'GET' }, { authMethods: ['none', 'client_secret_basic'] }],
    [{ ADMIN_ROLES: 'boss' }, { introspection: ['Bearer', 'DPoP'] }],
    [{ ADMIN_ROLES: 'boss', DPOP: 'off' }, { introspection: ['Bearer'] }],
    [{ ADMIN_ROLES: 'boss', DPOP: 'required' }, { introspection: ['DPoP'] }],
  ])('with %j is %j', (raw, expected) => {
    expect(metadata(raw)).toMatchObject(expected);
  });
});

describe('the profile of RFC 9068', () => {
  it('is asked for of our own tokens always', () => {
    const profile = (raw: Raw): unknown => memberOf(optionsOf(raw).AuthModule, 'profile');
    expect(profile({ VALIDATOR_PROFILE: 'none' })).toBe('rfc9068');
    for (const name of ['VALIDATOR_JWK_URL', 'VALIDATOR_JWK_LOCAL_PATH'] as const)
      expect(profile({ [name]: OTHER[name] })).toBe('none');
    const foreign = { SIGNER_ISSUER: 'https://own.example', VALIDATOR_ISSUER: 'https://a.example' };
    expect(profile(foreign)).toBe('none');
  });
});

describe('the key that development creates', () => {
  const created = (raw: Raw): unknown => memberOf(optionsOf(raw).JwksModule, 'createMissing');

  it('has a kid of its own where none is asked for', () => {
    expect(created({})).toEqual({ alg: 'HS256', kid: 'sim2' });
    expect(created({ SIGNER_KID: 'auto', SIGNER_ALG: 'ES256' })).toEqual({
      alg: 'ES256',
      kid: 'sim2',
    });
    expect(created({ SIGNER_KID: 'k1' })).toEqual({ alg: 'HS256', kid: 'k1' });
  });

  it.each<Raw>([
    { NODE_ENV: 'production' },
    { SIGNER_JWK_LOCAL_PATH: 'mine.json' },
    { SIGNER_JWK_URL: 'https://keys.example' },
  ])('is not made with %j', (raw) => {
    expect(created(raw)).toBeUndefined();
  });
});

describe('a port for metrics', () => {
  const metrics = (raw: Raw) => optionsOf(raw).MetricsModule;

  it('is optional only in development, and when nobody asked for it', () => {
    expect(metrics({})).toMatchObject({ port: 8090, optional: true });
    expect(metrics({ MANAGEMENT_PORT: '8090' })).toMatchObject({ port: 8090, optional: false });
    expect(metrics({ NODE_ENV: 'production' })).toMatchObject({ port: 8090, optional: false });
    expect(metrics({ MANAGEMENT_PORT: 'off' })).toMatchObject({ port: undefined });
    expect(metrics({ MANAGEMENT_PORT: '0' })).toMatchObject({ port: 0 });
  });
});

describe('withVariableNames', () => {
  it.each([
    [
      "'admin' needs the option adminRoles of AuthModule, which is empty",
      "'admin' needs ADMIN_ROLES, which is empty",
    ],
    [
      'keys.json is encrypted; set the option passphrase of JwksModule',
      'keys.json is encrypted; set KEY_PASSPHRASE or KEY_PASSPHRASE_FILE',
    ],
    [
      'the option remote.ca of JwksModule and the option url of StateModule.',
      'VALIDATOR_JWK_LOCAL_CA and STATE_STORE.',
    ],
    [
      'longer ago than the option absoluteTtl of OAuthModule allows',
      'longer ago than REFRESH_ABSOLUTE_TTL allows',
    ],
    // An option that no variable sets keeps its name.
    ['the option breaker of BackendModule', 'the option breaker of BackendModule'],
    ['the option constructor of AuthModule', 'the option constructor of AuthModule'],
    ['an option of a module', 'an option of a module'],
  ])('%j', (message, expected) => {
    expect(withVariableNames(message)).toBe(expected);
  });
});
