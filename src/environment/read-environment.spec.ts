import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ExpressAdapter } from '@nestjs/platform-express';
import { BootError } from '../core/errors/index.js';
import {
  loadEnvironment,
  readEnvironment,
  readVariable,
  withPort,
  type LoadedEnvironment,
} from './read-environment.js';

type Raw = Record<string, string>;
const PRODUCTION: Raw = {
  NODE_ENV: 'production',
  BACKEND_HOST: 'http://backend',
  PUBLIC_URL: 'https://gateway.example',
  VALIDATOR_AUDIENCE: 'https://api.example',
};

function problems(raw: Raw): readonly string[] {
  try {
    readEnvironment(raw);
    return [];
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return error.problems;
  }
}
const names = (raw: Raw): string[] =>
  problems(raw)
    .map((line) => /^\w+/.exec(line)?.[0] ?? '')
    .sort();

/** A value that is wrong for each variable. */
const WRONG: Raw = {
  NODE_ENV: 'prod',
  HOST: 'a b',
  PORT: '65536',
  MANAGEMENT_HOST: '/',
  BODY_LIMIT: '16 kilobytes',
  BACKEND_HOST: 'fake_api',
  BACKEND_TIMEOUT_MS: '2s',
  BACKEND_MAX_BODY: '-1',
  BACKEND_INPUT_HEADERS: '*,a b',
  TOKEN_BACKEND_METHOD: 'post',
  TOKEN_BACKEND_PATH: 'token.json',
  PRIVATE_BACKEND_PATH: '/with blank',
  TOKEN_BACKEND_ERRORS: 'OAuth',
  TOKEN_BACKEND_GRANTS: 'pass word',
  TOKEN_BACKEND_AUTH_METHODS: 'private_key_jwt',
  SIGNER_ALG: 'none',
  SIGNER_KID: 'a b',
  SIGNER_KEYS_TO_SIGN: 'a..b',
  SIGNER_REQUIRE_ALL_KEYS: 'yes',
  SIGNER_TYP: 'a b',
  SIGNER_ISSUER: 'a b',
  SIGNER_AUDIENCE: 'a b',
  SIGNER_FULL: '1',
  SIGNER_ACCESS_TTL: '0',
  SIGNER_REFRESH_TTL: '1.5',
  SIGNER_STALE_EXP: 'ignore',
  VALIDATOR_ALG: 'HS256,none',
  VALIDATOR_ISSUER: 'a b',
  VALIDATOR_AUDIENCE_MATCHER: 'some',
  VALIDATOR_AUDIENCE_CLAIM: 'client id',
  VALIDATOR_PROFILE: 'rfc9069',
  VALIDATOR_MAX_TOKEN_LENGTH: '100',
  VALIDATOR_ROLES_KEY: 'a b',
  VALIDATOR_ROLES_KEY_IS_NESTED: 'nested',
  VALIDATOR_ID_TOKENS: 'google',
  VALIDATOR_COOKIE_KEY: 'a=b',
  VALIDATOR_AUTH_HEADER_NAME: 'A:',
  VALIDATOR_LEEWAY: '-1',
  DISABLE_JWK_SECURITY: 'maybe',
  ERRORS_EXPLAIN: 'no',
  LOG_LEVEL: 'loud',
  LOG_FORMAT: 'xml',
};

describe('readEnvironment', () => {
  it('has the defaults of the contract', () => {
    expect(readEnvironment({})).toMatchObject({
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: 8080,
      MANAGEMENT_HOST: '127.0.0.1',
      BODY_LIMIT: 16_384,
      BACKEND_INPUT_HEADERS: [],
      BACKEND_INPUT_QUERY_STRINGS: [],
      TOKEN_BACKEND_METHOD: 'POST',
      TOKEN_BACKEND_PATH: '/token.json',
      PRIVATE_BACKEND_PATH: '/user/1.json',
      TOKEN_BACKEND_ERRORS: 'pass',
      TOKEN_BACKEND_GRANTS: ['password', 'client_credentials'],
      TOKEN_BACKEND_AUTH_METHODS: ['none', 'client_secret_basic', 'client_secret_post'],
      SIGNER_ALG: 'HS256',
      SIGNER_KID: 'auto',
      SIGNER_KEYS_TO_SIGN: ['access_token', 'refresh_token'],
      SIGNER_REQUIRE_ALL_KEYS: false,
      SIGNER_JWK_LOCAL_PATH: 'keys/signing.jwks.json',
      SIGNER_TYP: 'JWT',
      SIGNER_REFRESH_TYP: 'rt+jwt',
      SIGNER_FULL: false,
      SIGNER_ISSUER: 'http://localhost:8080',
      SIGNER_AUDIENCE: 'http://api.example.com',
      SIGNER_ACCESS_TTL: 3600,
      SIGNER_REFRESH_TTL: 1_209_600,
      SIGNER_STALE_EXP: 'reject',
      VALIDATOR_ISSUER: ['http://localhost:8080'],
      VALIDATOR_DISCOVERY: true,
      VALIDATOR_AUDIENCE: ['http://api.example.com'],
      VALIDATOR_AUDIENCE_MATCHER: 'any',
      VALIDATOR_AUDIENCE_CLAIM: 'aud',
      VALIDATOR_PROFILE: 'none',
      VALIDATOR_MAX_TOKEN_LENGTH: 16_384,
      VALIDATOR_ROLES_KEY: 'roles',
      VALIDATOR_ROLES_KEY_IS_NESTED: false,
      VALIDATOR_ROLES_MATCHER: 'any',
      VALIDATOR_SCOPES_KEY: 'scope',
      VALIDATOR_SCOPES_MATCHER: 'any',
      VALIDATOR_REQUIRED_CLAIMS: [],
      VALIDATOR_TYP: ['JWT', 'at+jwt'],
      VALIDATOR_ID_TOKENS: false,
      VALIDATOR_AUTH_HEADER_NAME: 'Authorization',
      VALIDATOR_LEEWAY: 1,
      DISABLE_JWK_SECURITY: false,
      JWK_HTTP_HOSTS: [],
      ERRORS_EXPLAIN: true,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'pretty',
    });
    const { BACKEND_HOST, VALIDATOR_COOKIE_KEY } = readEnvironment({});
    expect([BACKEND_HOST, VALIDATOR_COOKIE_KEY]).toEqual([undefined, undefined]);
  });

  it.each<[Raw, issuer: string, accepted: readonly string[]]>([
    [{ PORT: '81' }, 'http://localhost:81', ['http://localhost:81']],
    [{ PUBLIC_URL: ' https://gw/a ' }, 'https://gw/a', ['https://gw/a']],
    [{ PUBLIC_URL: 'https://gw', SIGNER_ISSUER: 'urn:own' }, 'urn:own', ['urn:own']],
    [
      { VALIDATOR_ISSUER: 'https://a , https://b' },
      'http://localhost:8080',
      ['https://a', 'https://b'],
    ],
  ])('lets issuers follow other variables: %j', (raw, issuer, accepted) => {
    const { SIGNER_ISSUER, VALIDATOR_ISSUER } = readEnvironment(raw);
    expect([SIGNER_ISSUER, VALIDATOR_ISSUER]).toEqual([issuer, accepted]);
  });

  it.each<[Raw, audience: string | undefined]>([
    [{ VALIDATOR_AUDIENCE: 'https://a,https://b' }, 'https://a'],
    [{ VALIDATOR_AUDIENCE: 'https://a', SIGNER_AUDIENCE: 'https://c' }, 'https://c'],
    [{ VALIDATOR_AUDIENCE: 'unchecked' }, undefined],
    // The value is the name of a client.
    [{ VALIDATOR_AUDIENCE: 'client', VALIDATOR_AUDIENCE_CLAIM: 'client_id' }, undefined],
  ])('lets the audience that is stamped follow other variables: %j', (raw, audience) => {
    expect(readEnvironment(raw).SIGNER_AUDIENCE).toBe(audience);
  });

  it('knows the own issuer once the port is known that PORT=0 stands for', () => {
    const named = (raw: Raw): unknown[] => {
      const { PORT, SIGNER_ISSUER, VALIDATOR_ISSUER } = withPort(
        readEnvironment({ PORT: '0', ...raw }),
        81,
      );
      return [PORT, SIGNER_ISSUER, VALIDATOR_ISSUER];
    };
    expect(named({})).toEqual([81, 'http://localhost:81', ['http://localhost:81']]);
    expect(named({ SIGNER_ISSUER: 'i' })).toEqual([81, 'i', ['i']]);
    expect(named({ VALIDATOR_ISSUER: 'https://a' })).toEqual([
      81,
      'http://localhost:81',
      ['https://a'],
    ]);
  });

  it.each(['', '  '])('takes %j for unset', (empty) => {
    const raw = Object.fromEntries(Object.keys(WRONG).map((name) => [name, empty]));
    expect(readEnvironment(raw)).toMatchObject({ PORT: 8080, SIGNER_ALG: 'HS256' });
    expect(readEnvironment(raw).BACKEND_HOST).toBeUndefined();
  });

  it('reports every problem at once, one line each, by the name of the variable', () => {
    expect(names(WRONG)).toEqual(Object.keys(WRONG).sort());
    expect(problems(WRONG).filter((line) => line.includes('\n'))).toEqual([]);
  });

  it('repeats no value', () => {
    const secret = 'hunter2 "secret"';
    const raw = Object.fromEntries(Object.keys(WRONG).map((name) => [name, secret]));
    const text = [
      ...problems(raw),
      ...problems({ BACKEND_HOST: 'http://user:hunter2@backend' }),
      ...problems({ KEY_PASSPHRASE: 'hunter2', PORT: 'hunter2' }),
    ].join('\n');
    expect(text).toContain('PORT');
    expect(text).toContain('BACKEND_HOST');
    expect(text).not.toContain('hunter2');
  });

  it('reports rules across variables together with wrong values', () => {
    const raw = { NODE_ENV: 'production', DISABLE_JWK_SECURITY: 'true', PORT: 'x' };
    expect(names(raw)).toEqual([
      'BACKEND_HOST',
      'DISABLE_JWK_SECURITY',
      'PORT',
      'PUBLIC_URL',
      'VALIDATOR_AUDIENCE',
    ]);
  });

  it.each([',', ' , '])('refuses a list that names nothing: %j', (list) => {
    for (const name of ['VALIDATOR_ALG', 'VALIDATOR_ISSUER', 'VALIDATOR_AUDIENCE', 'VALIDATOR_TYP'])
      expect(names({ [name]: list, SIGNER_ISSUER: 'i' })).toEqual([name]);
  });
});

describe('loadEnvironment', () => {
  const directory = mkdtempSync(join(tmpdir(), 'signet-'));
  const file = join(directory, '.env');
  const real = process.env;
  afterEach(() => void (process.env = real));
  afterAll(() => rmSync(directory, { recursive: true }));

  function load(env: Raw, text: string): LoadedEnvironment {
    process.env = { ...env };
    writeFileSync(file, text);
    return loadEnvironment(file);
  }

  it('joins both, where the environment wins, and warns of what is none of ours', () => {
    const { env, warnings } = load(
      { PORT: '1', SIGNER_AGL: 'x' },
      'export PORT=2\nHOST=::1\r\nADMIN_ROLE=admin\nOTHER=x\n',
    );
    expect(env).toMatchObject({ PORT: 1, HOST: '::1', ADMIN_ROLES: [] });
    expect(warnings).toEqual([
      'SIGNER_AGL is no variable of Signet; the nearest name is SIGNER_ALG',
      'ADMIN_ROLE is no variable of Signet; the nearest name is ADMIN_ROLES',
    ]);
    expect(process.env).toMatchObject({ PORT: '1', HOST: '::1', OTHER: 'x' });
  });

  const SHARED =
    'gives several issuers of VALIDATOR_ISSUER one set of keys: https://a, https://b; whoever has a key of it can sign for each of them';
  it.each<[Raw, readonly string[]]>([
    [{ VALIDATOR_JWK_URL: 'https://keys' }, [`VALIDATOR_JWK_URL ${SHARED}`]],
    [{ VALIDATOR_JWK_LOCAL_PATH: 'keys.json' }, [`VALIDATOR_JWK_LOCAL_PATH ${SHARED}`]],
    [{ VALIDATOR_JWK_URL: 'https://keys', VALIDATOR_ISSUER: 'own,https://a,https://a' }, []],
    [{ VALIDATOR_JWK_URL: 'https://keys', VALIDATOR_ISSUER: 'own' }, []],
    [{}, []],
  ])('warns of issuers that share a key set: %j', (raw, expected) => {
    const issuers = { SIGNER_ISSUER: 'own', VALIDATOR_ISSUER: 'https://a,own,https://b' };
    expect(load({ ...issuers, ...raw }, '').warnings).toEqual(expected);
  });

  it('warns of methods of the login where clients are registered, but not of the default', () => {
    const CLIENTS_FILE = 'clients.json';
    const warned = (raw: Raw): boolean =>
      load(raw, '').warnings.some((line) =>
        line.startsWith('TOKEN_BACKEND_AUTH_METHODS does nothing'),
      );
    expect(warned({ CLIENTS_FILE, TOKEN_BACKEND_AUTH_METHODS: 'none' })).toBe(true);
    expect(warned({ TOKEN_BACKEND_AUTH_METHODS: 'none' })).toBe(false);
    expect(warned({ CLIENTS_FILE })).toBe(false);
    const asIs = 'none,client_secret_basic,client_secret_post';
    expect(warned({ CLIENTS_FILE, TOKEN_BACKEND_AUTH_METHODS: asIs })).toBe(false);
  });

  it('reports the problems of both at once, each variable once', () => {
    const text = 'BACKEND_HOST=http://a#b\nADMIN_ROLE=admin\nVALIDATOR_ALG=${NONE}\n';
    const { PUBLIC_URL, VALIDATOR_AUDIENCE } = PRODUCTION as Required<Raw>;
    const given = { PORT: 'x', NODE_ENV: 'production', PUBLIC_URL, VALIDATOR_AUDIENCE } as Raw;
    expect(() => load(given, text)).toThrow(
      new BootError([
        `${file} line 1: BACKEND_HOST has a # within its value; write the value in quotes, or a blank before a comment`,
        `${file} line 3: VALIDATOR_ALG refers to a variable that is not set`,
        'PORT must be a whole number from 0 to 65535',
        'ADMIN_ROLE is no variable of Signet; the nearest name is ADMIN_ROLES',
      ]),
    );
    expect(process.env).toEqual(given);
  });

  it('tells other software of production in the usual spelling', () => {
    load({ ...PRODUCTION, NODE_ENV: 'production\r' }, '');
    expect(process.env.NODE_ENV).toBe('production');
  });
});

describe('production', () => {
  it('has strict defaults, which a variable can override', () => {
    expect(readEnvironment(PRODUCTION)).toMatchObject({
      HOST: '0.0.0.0',
      MANAGEMENT_HOST: '127.0.0.1',
      ERRORS_EXPLAIN: false,
      LOG_FORMAT: 'json',
    });
    const relaxed = { ...PRODUCTION, ERRORS_EXPLAIN: 'true', LOG_FORMAT: 'pretty' };
    expect(readEnvironment(relaxed)).toMatchObject({ ERRORS_EXPLAIN: true, LOG_FORMAT: 'pretty' });
  });

  it('needs a backend and refuses to give up key security', () => {
    expect(names({ ...PRODUCTION, BACKEND_HOST: '' })).toEqual(['BACKEND_HOST']);
    expect(names({ ...PRODUCTION, DISABLE_JWK_SECURITY: 'true' })).toEqual([
      'DISABLE_JWK_SECURITY',
    ]);
    expect(names({ DISABLE_JWK_SECURITY: 'true' })).toEqual([]);
  });

  it('needs an issuer and an audience, and says which line to write', () => {
    const without = (name: string, raw: Raw = {}): readonly string[] =>
      problems({ ...PRODUCTION, [name]: ' ', ...raw });
    expect(without('PUBLIC_URL')).toEqual([
      expect.stringMatching(/^PUBLIC_URL is needed .*; write PUBLIC_URL=https:/) as string,
    ]);
    expect(without('PUBLIC_URL', { SIGNER_ISSUER: 'https://gateway.example' })).toEqual([]);
    expect(without('VALIDATOR_AUDIENCE')).toEqual([
      expect.stringMatching(
        /^VALIDATOR_AUDIENCE is needed .*; write VALIDATOR_AUDIENCE=/,
      ) as string,
    ]);
    // These variables do not set the own issuer and the own audience.
    expect(without('PUBLIC_URL', { VALIDATOR_ISSUER: 'https://a' })).toHaveLength(1);
    expect(without('VALIDATOR_AUDIENCE', { SIGNER_AUDIENCE: 'https://a' })).toHaveLength(1);
  });

  it.each(['Production', 'PRODUCTION'])('is not missed because of the spelling %j', (spelling) => {
    // Neither accepted as development nor silently relaxed.
    expect(problems({ ...PRODUCTION, NODE_ENV: spelling })).toEqual([
      'NODE_ENV must be one of development, test, production (did you mean production?)',
    ]);
  });

  it.each(['production ', 'production\r', '\tproduction'])('is meant by %j', (spelling) => {
    const env = readEnvironment({ ...PRODUCTION, NODE_ENV: spelling });
    expect(env).toMatchObject({ NODE_ENV: 'production', ERRORS_EXPLAIN: false, WORKERS: 'auto' });
  });
});

describe('a message', () => {
  it('names TRUST_PROXY when Express would not take its value', () => {
    expect(problems({ TRUST_PROXY: 'foo' })).toEqual([
      expect.stringMatching(/^TRUST_PROXY must be true, false, a number of proxies, or/) as string,
    ]);
  });

  it('says that a collector may be reached by http', () => {
    expect(problems({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toEqual([
      expect.stringMatching(
        /^OTEL_EXPORTER_OTLP_ENDPOINT must be an http:\/\/ or https:\/\//,
      ) as string,
    ]);
    expect(problems({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/?a=b' })).toEqual([]);
  });

  it.each([
    [{ SIGNER_ALG: 'HS265' }, 'SIGNER_ALG', ['VALIDATOR_ALG']],
    [{ SIGNER_ISSUER: 'a b' }, 'SIGNER_ISSUER', ['VALIDATOR_ISSUER']],
    [{ PUBLIC_URL: 'a b' }, 'PUBLIC_URL', ['SIGNER_ISSUER', 'VALIDATOR_ISSUER']],
    [{ VALIDATOR_AUDIENCE: ',' }, 'VALIDATOR_AUDIENCE', ['SIGNER_AUDIENCE']],
  ])('is not repeated for what follows a wrong variable: %j', (raw, name, followers) => {
    expect(names(raw)).toEqual([name]);
    for (const follower of followers)
      expect(names({ ...raw, [follower]: 'a b' })).toEqual([name, follower].sort());
  });

  it.each([
    ['SIGNER_ALG', 'es256', 'ES256'],
    ['SIGNER_ALG', 'HS265', 'HS256'],
    ['VALIDATOR_ALG', 'HS256,eddsa', 'EdDSA'],
    ['TOKEN_BACKEND_METHOD', 'post', 'POST'],
    ['LOG_LEVEL', 'warning', undefined],
    ['LOG_LEVEL', 'infos', 'info'],
    ['VALIDATOR_KEY_IDENTIFY_STRATEGY', 'x5t#s256', 'x5t#S256'],
    ['SIGNER_ALG', 'none', undefined],
    ['LOG_FORMAT', 'xml', undefined],
  ])('of %s=%s suggests %s', (name, value, suggestion) => {
    const [line, ...others] = problems({ [name]: value });
    expect(others).toEqual([]);
    expect(/\(did you mean (.*)\?\)$/.exec(line ?? '')?.[1]).toBe(suggestion);
  });

  it.each(['sqlite::memory:', 'sqlite:file::memory:?cache=shared', 'sqlite:', 'mysql://a'])(
    'about the store %s names memory:',
    (url) => {
      expect(problems({ STATE_STORE: url })).toEqual([
        expect.stringMatching(/^STATE_STORE must be .*, without a file, memory:$/) as string,
      ]);
    },
  );
});

describe('TRUST_PROXY', () => {
  const express = new ExpressAdapter();

  it.each<[string, boolean | number | string[]]>([
    ['true', true],
    [' FALSE ', false],
    ['0', 0],
    ['2', 2],
    ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
    ['uniquelocal,linklocal', ['uniquelocal', 'linklocal']],
    ['192.168.1.1', ['192.168.1.1']],
    ['10.0.0.0/255.240.0.0', ['10.0.0.0/255.240.0.0']],
    ['::1,fc00::/7', ['::1', 'fc00::/7']],
  ])('takes %j, as Express does', (text, value) => {
    const { TRUST_PROXY } = readEnvironment({ TRUST_PROXY: text });
    expect(TRUST_PROXY).toEqual(value);
    express.set('trust proxy', TRUST_PROXY);
  });

  it.each([
    'foo',
    'loopback,proxy.internal',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.255.0',
    '::1/129',
    '10.0.0',
    'yes',
  ])('refuses %j, as Express does', (text) => {
    expect(names({ TRUST_PROXY: text })).toEqual(['TRUST_PROXY']);
    expect(() => express.set('trust proxy', text)).toThrow(
      /^invalid (?:IP address|range on address)/,
    );
  });
});

describe('issuers that are not our own', () => {
  const OTHERS: Raw = { SIGNER_ISSUER: 'own', VALIDATOR_ISSUER: 'own,https://a' };

  it.each<[Raw, readonly string[]]>([
    [{}, []],
    // Without SIGNER_ISSUER, the own issuer is the address of the gateway.
    [{ SIGNER_ISSUER: '', VALIDATOR_ISSUER: 'own' }, ['VALIDATOR_ISSUER']],
    [{ SIGNER_ISSUER: '', VALIDATOR_ISSUER: 'http://localhost:8080' }, []],
    [{ SIGNER_ISSUER: '', PUBLIC_URL: 'http://gw', VALIDATOR_ISSUER: 'http://gw' }, []],
    [{ VALIDATOR_ISSUER: 'own,a' }, ['VALIDATOR_ISSUER']],
    [{ VALIDATOR_ISSUER: 'own,a', VALIDATOR_JWK_URL: 'https://keys' }, []],
    [{ VALIDATOR_ISSUER: 'own,a', VALIDATOR_JWK_LOCAL_PATH: 'keys.json' }, []],
    [{ VALIDATOR_ISSUER: 'own,a', VALIDATOR_DISCOVERY: 'false' }, []],
    [{ VALIDATOR_ISSUER: 'own,http://a' }, ['VALIDATOR_ISSUER']],
    [{ VALIDATOR_ISSUER: 'own,http://a:1/b', JWK_HTTP_HOSTS: 'a' }, []],
    [{ VALIDATOR_ISSUER: 'own,http://a.b', JWK_HTTP_HOSTS: 'a,b' }, ['VALIDATOR_ISSUER']],
    [{ VALIDATOR_ISSUER: 'own,http://a', DISABLE_JWK_SECURITY: 'true' }, []],
    [{ VALIDATOR_ALG: 'HS256' }, ['VALIDATOR_ALG']],
    [{ VALIDATOR_ALG: 'HS256,ES256' }, []],
    [{ VALIDATOR_ALG: 'HS256', VALIDATOR_DISCOVERY: 'false' }, []],
    [{ ADMIN_ROLES: 'boss' }, []],
    [{ ADMIN_ROLES: 'boss', VALIDATOR_ISSUER: 'https://a' }, ['ADMIN_ROLES']],
    [{ JWK_HTTP_HOSTS: 'http://a' }, ['JWK_HTTP_HOSTS']],
    [{ VALIDATOR_JWK_URL: 'http://a', JWK_HTTP_HOSTS: 'a' }, []],
    // Signing keys are secret.
    [{ SIGNER_JWK_URL: 'http://a', JWK_HTTP_HOSTS: 'a' }, ['SIGNER_JWK_URL']],
    // Each variable is reported once, whatever is wrong with it.
    [{ SIGNER_JWK_URL: 'ftp://a' }, ['SIGNER_JWK_URL']],
    [{ VALIDATOR_JWK_URL: 'x' }, ['VALIDATOR_JWK_URL']],
  ])('with %j have problems in %j', (raw, expected) => {
    expect(names({ ...OTHERS, ...raw })).toEqual(expected);
  });
});

describe('proxies', () => {
  it('are read in lower case first, and in capitals', () => {
    const { HTTP_PROXY, HTTPS_PROXY, NO_PROXY } = readEnvironment({
      http_proxy: 'http://lower:1',
      HTTP_PROXY: 'http://upper:1',
      https_proxy: ' ',
      HTTPS_PROXY: 'https://user:p%40ss@upper',
      no_proxy: 'a, .b',
    });
    expect([HTTP_PROXY, HTTPS_PROXY, NO_PROXY]).toEqual([
      'http://lower:1',
      'https://user:p%40ss@upper',
      'a, .b',
    ]);
  });

  it.each([
    'proxy.example',
    'proxy.example:3128',
    'socks5://proxy.example',
    'http://',
    'http://proxy.example/path',
    'http://proxy.example?x',
    'http://user:%zz@proxy.example',
  ])('refuses %s, by either name and without the value', (text) => {
    for (const name of ['HTTPS_PROXY', 'https_proxy'])
      expect(() => readEnvironment({ [name]: text })).toThrow(
        /^HTTPS_PROXY \(or https_proxy\) must be the URL of a proxy like http:\/\/proxy\.example:3128$/,
      );
  });
});

describe('blanks around a value', () => {
  /** A right value of each kind of variable, and what comes of it. */
  const VALUES: Raw = {
    SIGNER_ALG: 'ES256',
    VALIDATOR_ALG: 'ES256,RS256',
    PORT: '80',
    WORKERS: 'auto',
    BODY_LIMIT: '1mb',
    SIGNER_FULL: 'true',
    BACKEND_HOST: 'http://backend',
    SIGNER_JWK_URL: 'https://keys/jwks.json',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
    HOST: '::1',
    TRUST_PROXY: 'loopback',
    ADMIN_ROLES: 'a,b',
    KEY_PASSPHRASE_FILE: '/run/secret',
    STATE_STORE: 'memory:',
  };

  it.each([' ', '\r', '\t', '\r\n', ' \u00a0'])('%j do not count', (blank) => {
    const raw = Object.fromEntries(
      Object.entries(VALUES).map(([name, value]) => [name, blank + value + blank]),
    );
    expect(readEnvironment(raw)).toEqual(readEnvironment(VALUES));
  });

  it('belong to a passphrase', () => {
    const KEY_PASSPHRASE = ' correct horse\r';
    expect(readEnvironment({ KEY_PASSPHRASE }).KEY_PASSPHRASE).toBe(KEY_PASSPHRASE);
  });
});

describe('values', () => {
  it('are read one by one, where the others do not matter', () => {
    const raw = { PORT: 'x', VALIDATOR_LEEWAY: '7', PUBLIC_URL: 'https://a' };
    expect(readVariable('VALIDATOR_LEEWAY', raw)).toBe(7);
    expect(readVariable('SIGNER_ISSUER', raw)).toBe('https://a');
    expect(() => readVariable('PORT', raw)).toThrow(/^PORT must be a whole number/);
  });

  it.each([
    ['off', 'off'],
    ['0', 0],
    ['8090', 8090],
    ['', undefined],
  ])('the management port %j', (text, value) => {
    expect(readEnvironment({ MANAGEMENT_PORT: text }).MANAGEMENT_PORT).toBe(value);
  });

  it.each(['Off', 'none', '65536', '99999', '-1'])('the management port %s is refused', (text) => {
    expect(names({ MANAGEMENT_PORT: text })).toEqual(['MANAGEMENT_PORT']);
  });

  it('lists are split at commas, trimmed, without empty items', () => {
    const env = readEnvironment({
      SIGNER_KEYS_TO_SIGN: ' a, data.receipt ,,b',
      VALIDATOR_TYP: 'x',
    });
    expect(env.SIGNER_KEYS_TO_SIGN).toEqual(['a', 'data.receipt', 'b']);
    expect(env.VALIDATOR_TYP).toEqual(['x']);
  });

  it.each([
    ['512', 512],
    ['16kb', 16_384],
    ['16 KB', 16_384],
    ['2mb', 2_097_152],
    ['1gb', 1_073_741_824],
    ['7b', 7],
  ])('the size %s', (text, bytes) => {
    expect(readEnvironment({ BODY_LIMIT: text }).BODY_LIMIT).toBe(bytes);
  });

  it.each(['0', '1.5mb', '2gb', 'kb', '1e3', '0x10', '-1', '1tb', 'Infinity'])(
    'the size %s is refused',
    (text) => {
      expect(names({ BODY_LIMIT: text })).toEqual(['BODY_LIMIT']);
    },
  );

  it.each([
    ['true', true],
    ['TRUE', true],
    ['false', false],
    [' False ', false],
  ])('the flag %j', (text, value) => {
    expect(readEnvironment({ SIGNER_FULL: text }).SIGNER_FULL).toBe(value);
  });

  it.each(['1', '0', 'yes', 'constructor', '__proto__', 'truefalse'])(
    'the flag %s is refused',
    (text) => {
      expect(names({ SIGNER_FULL: text })).toEqual(['SIGNER_FULL']);
    },
  );

  it.each(['1e3', '0x50', '80.0', '+80', '-0', '80 80', '99999999999999999999'])(
    'the number %s is refused',
    (text) => {
      expect(names({ PORT: text })).toEqual(['PORT']);
    },
  );

  it.each([
    'ftp://a',
    'javascript:alert(1)',
    'http://user:pw@a',
    'http://a/?q=1',
    'http://a/#f',
    'backend:8080',
  ])('the backend %s is refused', (host) => {
    expect(names({ BACKEND_HOST: host })).toEqual(['BACKEND_HOST']);
  });

  it.each(['Host', 'content-length', 'Transfer-Encoding', 'CONNECTION', 'upgrade'])(
    'the header %s is never forwarded',
    (name) => {
      expect(names({ BACKEND_INPUT_HEADERS: `x-a,${name}` })).toEqual(['BACKEND_INPUT_HEADERS']);
    },
  );

  it('an unchecked audience stands alone', () => {
    expect(names({ VALIDATOR_AUDIENCE: 'unchecked' })).toEqual([]);
    expect(names({ VALIDATOR_AUDIENCE: 'unchecked,https://a' })).toEqual(['VALIDATOR_AUDIENCE']);
    const claim = { VALIDATOR_AUDIENCE: 'unchecked', VALIDATOR_AUDIENCE_CLAIM: 'client_id' };
    expect(names(claim)).toEqual(['VALIDATOR_AUDIENCE']);
  });

  it('claims become headers that are free, each header once', () => {
    const propagate = (VALIDATOR_PROPAGATE_CLAIMS: string): string[] =>
      names({ VALIDATOR_PROPAGATE_CLAIMS });
    expect(
      propagate('sub:x-user,realm.id:X-Realm,https://example.com:8/t:x-t,a:b:x-b,sub:x-id'),
    ).toEqual([]);
    for (const list of ['sub', ':x', 'sub:', 'sub:x user', 'sub:connection', 'sub:Host'])
      expect(propagate(list)).toEqual(['VALIDATOR_PROPAGATE_CLAIMS']);
    for (const list of ['sub:authorization', 'sub:cookie', 'sub:x,sub:x', 'sub:x-a,name:X_A'])
      expect(propagate(list)).toEqual(['VALIDATOR_PROPAGATE_CLAIMS']);
  });

  it.each(['/a/../b', '/a/..', '/./a', '/a#b', '/a/..?x'])('the path %s is refused', (path) => {
    expect(names({ PRIVATE_BACKEND_PATH: path })).toEqual(['PRIVATE_BACKEND_PATH']);
    expect(names({ TOKEN_BACKEND_PATH: path })).toEqual(['TOKEN_BACKEND_PATH']);
  });

  it('what the metadata say of the login has to be true', () => {
    expect(names({ TOKEN_BACKEND_GRANTS: 'password,refresh_token' })).toEqual([
      'TOKEN_BACKEND_GRANTS',
    ]);
    expect(names({ TOKEN_BACKEND_GRANTS: 'urn:ietf:params:oauth:grant-type:jwt-bearer' })).toEqual(
      [],
    );
    const get = { TOKEN_BACKEND_METHOD: 'GET', TOKEN_BACKEND_AUTH_METHODS: 'client_secret_post' };
    expect(names(get)).toEqual(['TOKEN_BACKEND_AUTH_METHODS']);
    expect(names({ ...get, TOKEN_BACKEND_AUTH_METHODS: '' })).toEqual([]);
    expect(names({ ...get, TOKEN_BACKEND_METHOD: 'PUT' })).toEqual([]);
  });

  it('no claim can be in the path that makes the token', () => {
    expect(names({ TOKEN_BACKEND_PATH: '/t/{JWT.sub}' })).toEqual(['TOKEN_BACKEND_PATH']);
    expect(names({ PRIVATE_BACKEND_PATH: '/t/{JWT.sub}' })).toEqual([]);
  });
});
