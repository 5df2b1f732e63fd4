import { parseEnv } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint, krakend, playground, SIGNER, VALIDATOR } from '../../../test/helpers/krakend.js';
import { CommandError } from '../command.error.js';
import { importConfig, type ImportedConfig } from './import-config.js';
import { renderEnvironment } from './render.js';

const translate = (config: object): ImportedConfig =>
  importConfig(JSON.stringify(config), 'krakend.json');
const defects = (config: object): string[] => translate(config).defects.map(({ id }) => id);
const problems = (text: string): readonly string[] => {
  try {
    importConfig(text, 'krakend.json');
  } catch (error) {
    if (error instanceof CommandError) return error.problems;
    throw error;
  }
  return [];
};

describe('the playground', () => {
  it.each([
    ['by the names of today', playground()],
    [
      'by the names of version 1',
      playground(
        'github.com/devopsfaith/krakend-jose/signer',
        'github.com/devopsfaith/krakend-jose/validator',
      ),
    ],
  ])('prints its environment, %s', (_name, config) => {
    const { environment, controllers, unknown, notTakenOver } = translate(config);
    expect(environment).toEqual({
      PORT: '8080',
      BACKEND_HOST: 'http://fake_api',
      BACKEND_TIMEOUT_MS: '3000',
      TOKEN_BACKEND_METHOD: 'POST',
      TOKEN_BACKEND_PATH: '/token.json',
      PRIVATE_BACKEND_PATH: '/user/1.json',
      SIGNER_ALG: 'HS256',
      SIGNER_KID: 'sim2',
      SIGNER_KEYS_TO_SIGN: 'access_token,refresh_token',
      SIGNER_JWK_LOCAL_PATH: '/etc/krakend/jwk/symmetric.json',
      SIGNER_ISSUER: 'https://krakend.io',
      VALIDATOR_ALG: 'HS256',
      VALIDATOR_JWK_LOCAL_PATH: '/etc/krakend/jwk/symmetric.json',
      VALIDATOR_ISSUER: 'https://krakend.io',
      VALIDATOR_AUDIENCE: 'http://api.example.com',
      VALIDATOR_ROLES_KEY: 'roles',
    });
    expect([controllers, unknown, notTakenOver]).toEqual([undefined, [], []]);
  });

  it('names each defect that it is exposed to, with what exposes it', () => {
    expect(translate(playground()).defects.map(({ id, because }) => `${id}: ${because}`)).toEqual([
      'D2: GET /private/custom',
      'D3: POST /token, GET /private/custom',
      'D5: GET /private/custom',
      'D10: GET /private/custom',
      'D11: POST /token',
      'D12: POST /token',
      'D13: POST /token, GET /private/custom',
      'D14: GET /private/custom',
      'D15: POST /token, GET /private/custom',
      'D23: POST /token, GET /private/custom',
      'D24: POST /token',
      'D27: POST /token',
    ]);
  });
});

describe('the defects', () => {
  const validate = (options: object, at = '/a', backend = {}) =>
    endpoint(at, { 'auth/validator': { ...VALIDATOR, ...options } }, {}, backend);
  const remote = { jwk_local_path: undefined, jwk_url: 'https://a.example/jwks' };

  it.each<[string, object]>([
    [
      'D1',
      krakend([
        validate({ ...remote, cache: true }),
        validate({ ...remote, jwk_url: 'https://b.example/jwks' }, '/b'),
      ]),
    ],
    ['D4', krakend([...(playground().endpoints as object[]), validate({ roles: undefined })])],
    ['D6', krakend([validate(remote)])],
    ['D7', krakend([validate(remote)])],
    ['D8', krakend([validate(remote)])],
    ['D9', krakend([validate({}, '/a', { url_pattern: '/u/{JWT.sub}' })])],
    ['D16', krakend([validate({ audience: ['a', 'b'] })])],
    ['D17', krakend([validate({}), validate({ issuer: 'https://b.example' }, '/b')])],
    ...['D18', 'D19', 'D20'].map((id): [string, object] => [
      id,
      krakend([validate({})], {
        extra_config: {
          'auth/revoker': {
            N: 1e7,
            P: 1e-7,
            hash_name: 'optimal',
            TTL: 1500,
            port: 1234,
            token_keys: ['jti', 'aud'],
          },
        },
      }),
    ]),
    ['D21', krakend([validate(remote)])],
    ['D22', krakend([validate({ cypher_key: 'a2V5', secret_url: 'base64key://' })])],
    ['D25', krakend([validate({ propagate_claims: [['sub', 'x-user']] })])],
    ['D26', krakend([endpoint('/a', { 'auth/signer': { ...SIGNER, leeway: '1s' } })])],
    ['D28', krakend([validate({ isuer: 'https://typo.example' })])],
  ])('%s is found where it is, and not in the playground', (id, config) => {
    expect(defects(config)).toContain(id);
    expect(defects(playground())).not.toContain(id);
  });

  it('are none where nothing is signed or checked', () => {
    expect(defects(krakend([endpoint('/a')]))).toEqual([]);
  });
});

describe('what is not taken over', () => {
  it('is named, never dropped', () => {
    const { unknown, notTakenOver, advice } = translate(
      krakend(
        [
          endpoint(
            '/a',
            {
              'auth/validator': {
                ...VALIDATOR,
                isuer: 'typo',
                scopes: ['s'],
                cipher_suites: [1],
                audience: [],
                issuer: undefined,
              },
              'qos/ratelimit/router': { max_rate: 1 },
            },
            {
              cache_ttl: '1s',
              input_headers: ['*'],
              backend: [
                { host: ['http://a', 'http://b'], url_pattern: '/{nobody}', group: 'x' },
                { host: ['http://c'], url_pattern: '/' },
              ],
            },
          ),
        ],
        { tls: {}, extra_config: { 'security/cors': {}, 'auth/revoker': { token_keys: ['aud'] } } },
      ),
    );
    expect(unknown).toEqual([expect.stringContaining("'isuer'")]);
    for (const name of [
      'cache_ttl',
      'qos/ratelimit/router',
      'group',
      'tls',
      'security/cors',
      'cipher_suites',
      'merges 2',
      'balances 2',
    ])
      expect(notTakenOver.join('\n')).toContain(name);
    for (const text of [
      'no issuer',
      'no audience',
      'without scopes_key',
      '"*"',
      '{nobody}',
      'ADMIN_ROLES',
      'not by aud',
    ])
      expect(advice.join('\n')).toContain(text);
  });

  it('a problem of the environment among it', () => {
    const config = krakend([
      endpoint('/a', { 'auth/signer': { ...SIGNER, alg: 'XS1', kid: 'a b' } }),
    ]);
    const { advice } = translate(config);
    for (const name of ['SIGNER_ALG', 'SIGNER_KID'])
      expect(advice).toContainEqual(
        expect.stringMatching(`^the gateway does not boot with this: ${name} must be `),
      );
  });
});

describe('hostile input', () => {
  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /is not JSON/],
    ['a template', '{"port": {{ .port }} }', /is a template; render it/],
    ['no object', '[]', /is not a JSON object/],
    ['something else', '{}', /no 'endpoints'/],
    ['deep nesting', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, /nests deeper/],
    ['endpoints of no kind', '{"endpoints":[1]}', /'endpoints' is not a list of objects/],
    ['a path with code', JSON.stringify(krakend([endpoint("/a');evil('")])), /not a path/],
    [
      'a pattern with code',
      JSON.stringify(krakend([endpoint('/a', {}, {}, { url_pattern: '/${evil}' })])),
      /'url_pattern' is not/,
    ],
    [
      'a host that is none',
      JSON.stringify(krakend([endpoint('/a', {}, {}, { host: ['file:///etc'] })])),
      /'host' is not/,
    ],
    [
      'roles of another type',
      JSON.stringify(krakend([endpoint('/a', { 'auth/validator': { roles: [1] } })])),
      /'roles' is not a list of strings/,
    ],
    [
      'a line break in a value',
      JSON.stringify(krakend([endpoint('/a', { 'auth/signer': { kid: 'a\nEVIL=1' } })])),
      /'kid' is not a string/,
    ],
    [
      'no method',
      JSON.stringify(krakend([endpoint('/a', {}, { method: 'TRACE' })])),
      /method is not one of/,
    ],
  ])('%s', (_name, text, reason) => {
    expect(problems(text)).toEqual([expect.stringMatching(reason)]);
  });

  it('gives a clear error or a translation, never a crash', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const mutate = (members: object) =>
      fc.record(
        Object.fromEntries(
          Object.entries(members).map(([name, value]) => [
            name,
            fc.oneof({ weight: 5, arbitrary: fc.constant<unknown>(value) }, json),
          ]),
        ),
        { requiredKeys: [] },
      );
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            mutate({ ...SIGNER, typ: 'JWT' }),
            mutate({ ...VALIDATOR, scopes: ['s'] }),
            mutate(endpoint('/a/{b}')),
          ),
          { maxLength: 3 },
        ),
        json,
        (endpoints, anything) => {
          const config = krakend(
            endpoints.map(([signer, validator, members]) => ({
              ...members,
              extra_config: { 'auth/signer': signer, 'auth/validator': validator },
            })),
            { extra_config: anything },
          );
          expect(problems(JSON.stringify(config)).every((line) => typeof line === 'string')).toBe(
            true,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads an environment back as it was printed', () => {
    const values = { A: 'https://it’s/a b#c', B: 'it\'s `x` "y"', C: '$HOME \\n', D: 'plain,1' };
    expect(parseEnv(renderEnvironment(values))).toEqual({ ...values, B: 'it\'s x "y"' });
  });
});
