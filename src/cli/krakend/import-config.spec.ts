import { parseEnv } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endpoint,
  krakend,
  playground,
  SIGNER,
  VALIDATOR,
} from '../../../test/helpers/krakend/krakend.js';
import { CommandError } from '../command.error.js';
import type { Finding } from './findings.js';
import { importConfig, type ImportedConfig } from './import-config.js';
import { renderEnvironment, renderReport } from './write/render.js';

const translate = (config: object): Promise<ImportedConfig> =>
  importConfig(JSON.stringify(config), 'krakend.json');
const defects = async (config: object): Promise<string[]> =>
  (await translate(config)).defects.map(({ id }) => id);
const problems = async (text: string, source = 'krakend.json'): Promise<readonly string[]> => {
  try {
    await importConfig(text, source);
  } catch (error) {
    if (error instanceof CommandError) return error.problems;
    throw error;
  }
  return [];
};
/** Why an endpoint is left out. */
const leftOut = async (one: object): Promise<readonly string[]> => {
  const { leftOut: lines, counts } = await translate(krakend([endpoint('/kept'), one]));
  expect(counts).toMatchObject({ endpoints: 2, takenOver: 1, leftOut: 1 });
  return lines.map(({ matter }) => matter);
};
const matters = (findings: readonly Finding[]): string =>
  findings.map(({ matter, routes }) => `${matter} (${routes.join(', ')})`).join('\n');

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
  ])('prints its environment, %s', async (_name, config) => {
    const { environment, controllers, unknown, leftOut: left, refused } = await translate(config);
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
    expect([controllers, unknown, left, refused]).toEqual([undefined, [], [], []]);
  });

  it('names each defect that it is exposed to, with what exposes it', async () => {
    const { defects: found } = await translate(playground());
    expect(found.map(({ id, routes }) => `${id}: ${routes.join(', ')}`)).toEqual([
      'D2: GET /private/custom',
      'D3: POST /token, GET /private/custom',
      'D5: GET /private/custom',
      'D10: GET /private/custom',
      'D11: POST /token',
      'D12: POST /token',
      'D13: POST /token, GET /private/custom',
      'D14: GET /private/custom',
      'D15: POST /token, GET /private/custom',
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
    ['D23', krakend([validate({ ...remote, disable_jwk_security: true })])],
    ['D24', krakend([endpoint('/a', { 'auth/signer': { ...SIGNER, alg: 'ES256' } })])],
    ['D22', krakend([validate({ cypher_key: 'a2V5', secret_url: 'base64key://' })])],
    ['D25', krakend([validate({ propagate_claims: [['sub', 'x-user']] })])],
    ['D26', krakend([endpoint('/a', { 'auth/signer': { ...SIGNER, leeway: '1s' } })])],
    ['D28', krakend([validate({ isuer: 'https://typo.example' })])],
  ])('%s is found where it is, and not in the playground', async (id, config) => {
    expect(await defects(config)).toContain(id);
    expect(await defects(playground())).not.toContain(id);
  });

  it('are none where nothing is signed or checked', async () => {
    expect(await defects(krakend([endpoint('/a')]))).toEqual([]);
  });
});

describe('nothing that was protected is open', () => {
  it.each<[string, object, string]>([
    ['auth/api-keys', { 'auth/api-keys': { roles: ['x'] } }, 'auth/api-keys'],
    ['auth/basic', { 'auth/basic': { htpasswd_path: 'x' } }, 'auth/basic'],
    ['policies of requests', { 'security/policies': { req: { policies: ['x'] } } }, 'those of req'],
    [
      'policies without a token',
      { 'security/policies': { jwt: { policies: ["JWT.a == 'b'"] } } },
      'JWT.a',
    ],
    [
      'CEL on requests',
      { 'validation/cel': [{ check_expr: "req_method == 'GET'" }] },
      'req_method',
    ],
    ['CEL that is none', { 'validation/cel': { a: 1 } }, 'cannot be read'],
    ['plugins', { 'plugin/req-resp-modifier': { name: ['ip-filter'] } }, 'a plugin'],
    ['scripts', { 'modifier/lua-endpoint': { pre: 'x' } }, 'a script'],
    ['by the old name', { 'github.com/devopsfaith/krakend-lua/proxy': {} }, 'a script'],
    ['unknown components', { 'acme/ip-filter': {} }, 'unknown component'],
  ])('%s', async (_name, extra, reason) => {
    for (const at of ['/a', '/token']) {
      const {
        refused,
        controllers = '',
        environment,
        replaced,
      } = await translate(
        krakend([
          endpoint(
            at,
            { ...extra, ...(at === '/token' ? { 'auth/signer': SIGNER } : {}) },
            {
              method: 'POST',
            },
          ),
        ]),
      );
      expect(matters(refused)).toContain(reason);
      expect(controllers.match(/@UseGuards\(NotImportedGuard\)\n@Controller\(/g)).toHaveLength(1);
      // The gateway's own route must not stand in for it.
      expect(environment).not.toHaveProperty('TOKEN_BACKEND_PATH');
      expect(replaced).toEqual(at === '/token' ? ['TokenModule'] : []);
    }
  });

  it.each<[string, object]>([
    ['mutual TLS', { tls: { enable_mtls: true } }],
    ['a plugin of the server', { extra_config: { 'plugin/http-server': { name: ['x'] } } }],
    [
      'the same by its old name',
      { extra_config: { 'github_com/devopsfaith/krakend/transport/http/server/handler': {} } },
    ],
    ['auth/basic of the service', { extra_config: { 'auth/basic': {} } }],
  ])('%s refuses all routes', async (_name, members) => {
    const { counts } = await translate({ ...playground(), ...members });
    expect(counts).toEqual({ endpoints: 2, takenOver: 2, refused: 2, leftOut: 0 });
  });

  it('with fields of the answer that were hidden', async () => {
    const { refused } = await translate(krakend([endpoint('/a', {}, {}, { deny: ['password'] })]));
    expect(refused).toEqual([
      { matter: expect.stringMatching('^deny: ') as unknown, routes: ['GET /a'] },
    ]);
  });

  it('is the first section of the report', async () => {
    const report = renderReport(await translate(krakend([endpoint('/a', { 'auth/basic': {} })])));
    expect(report.trimStart()).toMatch(
      /^# Refused with 403 not_imported [^]*\n# Behaves differently\n/,
    );
    expect(report).toMatch(/\n1 endpoints: 0 taken over, 1 refused until decided, 0 left out\n$/);
  });

  it('and conditions on claims hold', async () => {
    const { controllers = '', refused } = await translate(
      krakend([
        endpoint('/a', {
          'auth/validator': VALIDATOR,
          'validation/cel': [{ check_expr: "'a' in JWT.groups" }, { check_expr: 'has(JWT.x)' }],
          'security/policies': { jwt: { policies: ["JWT.y == 'z' || JWT.y == 'w'"] } },
        }),
      ]),
    );
    expect(refused).toEqual([]);
    expect(controllers).toContain(
      "validate: (claims) => mustHold(listOf(claimAt(claims, 'groups')).includes('a') && claimAt(claims, 'x') !== undefined && (claimAt(claims, 'y') === 'z' || claimAt(claims, 'y') === 'w'))",
    );
  });
});

describe('formats', () => {
  const yaml =
    'version: 3\nendpoints:\n  - endpoint: /a\n    backend: [{host: ["http://b"], url_pattern: /x}]\n';
  const toml =
    'version = 3\n[[endpoints]]\nendpoint = "/a"\n[[endpoints.backend]]\nhost = ["http://b"]\nurl_pattern = "/x"\n';

  it.each([
    ['krakend.yaml', yaml],
    ['krakend.yml', yaml],
    ['krakend.toml', toml],
    ['krakend.json', `\uFEFF${JSON.stringify(krakend([endpoint('/a')]))}`],
    ['krakend', yaml],
    ['krakend.cfg', toml],
    ['krakend.tmpl', JSON.stringify(krakend([endpoint('/a')]))],
  ])('%s', async (source, text) => {
    expect((await importConfig(text, source)).counts.takenOver).toBe(1);
  });

  it.each([
    ['krakend.yaml', 'a: [1', /^krakend.yaml is not YAML \(/],
    ['krakend.yaml', 'a: &a [*a, *a]\nb: [*a,*a]', /^krakend.yaml/],
    ['krakend.toml', 'a = ', /^krakend.toml is not TOML \(/],
    ['krakend.json', '{"k":"secret}', /^krakend.json is not JSON \(/],
    ['krakend', '{"a": [', /is not JSON .*, nor TOML .*, nor YAML/],
  ])('%s that is none: %s', async (source, text, reason) => {
    const lines = await problems(text, source);
    expect(lines[0]).toMatch(reason);
    expect(lines.join()).not.toContain('secret');
  });

  it('a YAML bomb is refused', async () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 12; i++)
      lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(',')}]`);
    expect(await problems(lines.join('\n'), 'krakend.yaml')).toHaveLength(1);
  });
});

describe('endpoints of any kind', () => {
  it('that cannot be taken over are left out, and the rest is imported', async () => {
    expect(await leftOut(endpoint("/a');evil('"))).toEqual(['the path cannot be taken over']);
    expect(await leftOut(endpoint('/a', {}, { method: 'TRACE' }))).toEqual([
      'method TRACE cannot be taken over',
    ]);
    expect(await leftOut(endpoint('/a', { websocket: {} }))).toEqual([
      expect.stringMatching('^websocket: '),
    ]);
    expect(
      await leftOut(endpoint('/a', {}, {}, { extra_config: { 'backend/amqp/producer': {} } })),
    ).toEqual([expect.stringMatching('^backend/amqp/producer: ')]);
    expect(await leftOut(endpoint('/a', {}, {}, { url_pattern: '/${evil}' }))).toHaveLength(1);
    expect(await leftOut(endpoint('/a', {}, {}, { host: ['file:///etc'] }))).toHaveLength(1);
    expect(await leftOut(endpoint('/a', { 'auth/validator': { roles: [1] } }))).toEqual([
      "auth/validator: 'roles' is not a list of strings",
    ]);
    expect(await leftOut(endpoint('/a', { 'auth/signer': { kid: 'a\nEVIL=1' } }))).toEqual([
      "auth/signer: 'kid' is not a string",
    ]);
    expect(await leftOut(endpoint('/kept'))).toEqual([
      'another endpoint has the same method and path',
    ]);
    expect(await leftOut(endpoint('/a', {}, { backend: [] }))).toContain('it has no backend');
    expect(await leftOut(endpoint('/token/revoke', {}, { method: 'POST' }))).toEqual([
      'the gateway has this route itself',
    ]);
    expect(await leftOut(endpoint('/__catchall'))).toHaveLength(1);
  });

  it('take any url_pattern and wildcards', async () => {
    const { controllers = '', counts } = await translate(
      krakend([
        endpoint('/a/{x}', {}, {}, { url_pattern: 'echo/{x}' }),
        endpoint('/b', {}, {}, { url_pattern: '' }),
        endpoint('/c', {}, { backend: [{ host: ['b:80'] }] }),
        endpoint('/files/*', {}, {}, { url_pattern: '/static/*' }),
        endpoint('/d/{user-id}', {}, {}, { url_pattern: '/u/{user-id}' }),
      ]),
    );
    expect(counts.takenOver).toBe(5);
    expect(controllers).toContain('path: `/echo/${pathSegment(xParam)}`');
    expect(controllers.match(/path: '\/'/g)).toHaveLength(2);
    expect(controllers).toContain("@Controller('files/*rest')");
    expect(controllers).toContain("path: `/static/${restParam.map(pathSegment).join('/')}`");
    expect(controllers).toContain("@Controller('d/:userId')");
  });

  it('with fixed segments stand before those with parameters, whatever their backend', async () => {
    const paths = [
      '/*',
      '/{a}/{b}',
      '/y/q',
      '/x/{p}',
      '/x/*',
      '/{a}/q',
      '/x/q',
      '/a',
      '/x/q/{r}',
      '/x',
    ];
    const { controllers = '' } = await translate(
      krakend(
        paths.map((path, index) => endpoint(path, {}, {}, { host: [`http://b${index % 3}`] })),
      ),
    );
    const classes = new Map(
      [...controllers.matchAll(/@Controller\('(.*)'\)\nexport class (\w+)/g)].map(
        ([, path, name]) => [name, path],
      ),
    );
    const registered = [...controllers.matchAll(/controllers: \[(.*)\]/g)]
      .flatMap(([, names = '']) => names.split(', '))
      .map((name) => classes.get(name));
    expect(registered).toEqual([
      'a',
      'x',
      'x/q',
      'x/q/:r',
      'x/:p',
      'x/*rest',
      'y/q',
      ':a/q',
      ':a/:b',
      '*rest',
    ]);
  });

  it.each(['*', ['*']])('take input_headers %j as what is harmless, with a line', async (all) => {
    const { controllers, differs } = await translate(
      krakend([endpoint('/a', {}, { input_headers: all, input_query_strings: all })]),
    );
    expect(controllers).toContain(
      "inputHeaders: ['accept', 'accept-language', 'user-agent', 'authorization'], inputCookies: ['*']",
    );
    expect(matters(differs)).toMatch(/input_headers: "\*"[^]*input_query_strings: "\*"/);
  });
});

describe('validators', () => {
  const remote = (members: object) => {
    const { jwk_local_path: _path, ...rest } = VALIDATOR;
    return {
      'auth/validator': { ...rest, alg: 'RS256', jwk_url: 'https://idp.example/jwks', ...members },
    };
  };

  it('keep all of their options', async () => {
    const { controllers } = await translate(
      krakend([
        endpoint(
          '/a',
          remote({
            audience: ['a', 'b'],
            cache: true,
            cache_duration: 60,
            failed_jwk_key_cooldown: '30s',
            jwk_fingerprints: ['S3Jha2VuRCBpcyB0aGUgYmVzdCBnYXRld2F5IGV2ZXI='],
            jwk_local_ca: "./it's.pem",
            key_identify_strategy: 'kid_x5t',
            propagate_claims: [
              ['sub', 'x-user'],
              ['a claim', 'x-claim'],
            ],
            scopes: ['s'],
            scopes_key: 'scp',
            scopes_matcher: 'all',
            roles_key: 'realm_access.roles',
            roles_key_is_nested: true,
            leeway: '5s',
            cookie_key: 'tok',
            auth_header_name: 'X-Auth',
          }),
        ),
      ]),
    );
    for (const part of [
      "algorithms: ['RS256'], issuer: 'https://krakend.io', audience: ['a', 'b'], audienceMatcher: 'all', jwkUrl: 'https://idp.example/jwks'",
      "remote: { cacheTtl: 60, cooldown: 30, fingerprints: ['S3Jha2VuRCBpcyB0aGUgYmVzdCBnYXRld2F5IGV2ZXI'], fingerprintsMatch: 'chain', ca: readFileSync('./it\\'s.pem', 'utf8'), identifyStrategy: 'kid_x5t' }",
      "rolesKey: 'realm_access.roles', rolesKeyIsNested: true, scopesKey: 'scp', scopesMatcher: 'all', authHeaderName: 'X-Auth', cookieKey: 'tok', leeway: 5",
      "propagateClaims: { sub: 'x-user', ['a claim']: 'x-claim' }, propagateEncoding: 'utf8'",
      "scopes: ['s']",
    ])
      expect(controllers).toContain(part);
  });

  it('and backends: token, cookies, hosts, lists, as the configuration says', async () => {
    const { controllers = '' } = await translate(
      krakend([
        endpoint(
          '/a',
          remote({ propagate_claims: [['r', 'x-r']], propagate_claims_preserve_array: true }),
          { input_headers: ['Authorization', 'Cookie', 'X-A'] },
          { host: ['http://a', 'b:81'] },
        ),
      ]),
    );
    expect(controllers).toContain('from, to, forwardToken: true }');
    expect(controllers).toContain("propagateLists: 'repeated'");
    expect(controllers).toContain(
      "host: ['http://a', 'http://b:81'], timeoutMs: 2000, inputHeaders: ['x-a'], inputCookies: ['*']",
    );
  });

  it('have an issuer and an audience each, or say that there is none', async () => {
    const { controllers = '', differs } = await translate(
      krakend([
        endpoint('/a', remote({ audience: undefined, issuer: undefined })),
        endpoint('/b', remote({ issuer: 'https://b.example' })),
      ]),
    );
    expect(controllers).toContain("issuer: 'https://idp.example', audience: 'unchecked'");
    expect(controllers).toContain(
      "issuer: 'https://b.example', audience: ['http://api.example.com']",
    );
    expect(matters(differs)).toMatch(
      /no issuer was checked; now it is https:\/\/idp\.example, a guess.*\(GET \/a\)/,
    );
    expect(matters(differs)).toMatch(/no audience was checked.*\(GET \/a\)/);
  });

  it.each([
    ['https://t.eu.auth0.com/.well-known/jwks.json', 'https://t.eu.auth0.com/'],
    ['http://kc:8080/auth/realms/a/protocol/openid-connect/certs', 'http://kc:8080/auth/realms/a'],
    [
      'https://cognito-idp.eu-west-1.amazonaws.com/p_1/.well-known/jwks.json',
      'https://cognito-idp.eu-west-1.amazonaws.com/p_1',
    ],
    ['https://www.googleapis.com/oauth2/v3/certs', 'https://accounts.google.com'],
    [
      'https://login.microsoftonline.com/tid/discovery/v2.0/keys',
      'https://login.microsoftonline.com/tid/v2.0',
    ],
    ['https://o.okta.com/oauth2/default/v1/keys', 'https://o.okta.com/oauth2/default'],
    ['https://own.example/some/set.json', 'https://own.example'],
  ])('guess the issuer of %s', async (url, issuer) => {
    const { environment } = await translate(
      krakend([endpoint('/a', remote({ jwk_url: url, issuer: undefined }))]),
    );
    expect(environment.VALIDATOR_ISSUER).toBe(issuer);
  });

  it('set a header per claim, and none that is not for claims', async () => {
    const { controllers = '', differs } = await translate(
      krakend([
        endpoint(
          '/a',
          remote({
            propagate_claims: [
              ['sub', 'x-user'],
              ['sub', 'x-id'],
              ['a', 'Authorization'],
              ['b', 'X-USER'],
            ],
          }),
        ),
      ]),
    );
    expect(controllers).toContain(
      "propagateClaims: { sub: ['x-user', 'x-id'] }, propagateEncoding: 'utf8' }",
    );
    expect(matters(differs)).toMatch(
      /propagate_claims: cannot set the header authorization[^]*propagate_claims: names header 'X-USER' twice/,
    );
  });

  it('that share everything but roles are written once', async () => {
    const { controllers = '' } = await translate(
      krakend([endpoint('/a', remote({})), endpoint('/b', remote({ roles: ['other'] }))]),
    );
    expect(controllers.match(/jwkUrl/g)).toHaveLength(1);
    expect(controllers).toContain("@RequireJwt({ ...VALIDATOR, roles: ['other'] })");
  });

  it('with keys by plain http name their hosts; HS256 by URL becomes a file', async () => {
    const { environment, controllers, todo } = await translate(
      krakend([
        endpoint('/a', remote({ jwk_url: 'http://idp:8080/jwks' })),
        endpoint('/b', remote({ jwk_url: 'http://idp:8080/jwks' })),
        endpoint('/c', remote({ alg: 'HS256', jwk_url: 'http://keys/sym.json' })),
      ]),
    );
    expect(environment.JWK_HTTP_HOSTS).toBe('idp');
    expect(environment).not.toHaveProperty('DISABLE_JWK_SECURITY');
    expect(controllers).toContain("jwkLocalPath: 'keys/keys.jwks.json'");
    expect(matters(todo)).toMatch(
      /HS256 by URL: whoever can read http:\/\/keys\/sym\.json can make tokens.*\(GET \/c\)/,
    );
    expect(matters(todo)).toMatch(/comes by plain http.*\(GET \/a, GET \/b\)/);
  });
});

describe('signers', () => {
  it('answer 200, by GET as well, with a warning', async () => {
    const {
      controllers = '',
      environment,
      differs,
    } = await translate(
      krakend([
        endpoint('/token', { 'auth/signer': SIGNER }, {}, { url_pattern: '/login' }),
        endpoint('/receipt', { 'auth/signer': { ...SIGNER, kid: 'r' } }, { method: 'POST' }),
      ]),
    );
    expect(environment).toMatchObject({
      TOKEN_BACKEND_METHOD: 'GET',
      TOKEN_BACKEND_PATH: '/login',
    });
    expect(controllers).toMatch(/@Controller\('token'\)[^@]*@Get\(\)/);
    expect(controllers).toMatch(/@Controller\('receipt'\)[^@]*@Post\(\)\s+@HttpCode\(200\)/);
    expect(matters(differs)).toMatch(/tokens by GET .*POST \/token.*\(GET \/token\)/);
  });

  it('never fetch secrets by plain http', async () => {
    const { jwk_local_path: _path, ...rest } = SIGNER;
    const { environment, todo } = await translate(
      krakend([
        endpoint(
          '/token',
          { 'auth/signer': { ...rest, jwk_url: 'http://keys/s' } },
          { method: 'POST' },
        ),
      ]),
    );
    expect(environment.SIGNER_JWK_LOCAL_PATH).toBe('keys/signing.jwks.json');
    expect(matters(todo)).toContain('signing keys never come by plain http');
  });
});

describe('the service', () => {
  it('CORS, rate limits, revocations and proxies become variables', async () => {
    const { environment, todo, controllers } = await translate(
      krakend(
        [
          endpoint(
            '/token',
            {
              'auth/signer': SIGNER,
              'qos/ratelimit/router': { client_max_rate: 10, every: '1m', strategy: 'ip' },
            },
            { method: 'POST' },
          ),
          endpoint('/a', { 'qos/ratelimit/router': { client_max_rate: 0.5 } }),
        ],
        {
          extra_config: {
            'security/cors': { allow_origins: ['https://a.example/', 'https://b.example'] },
            'github_com/devopsfaith/bloomfilter': { N: 1, P: 0.1, token_keys: ['jti'] },
            router: { trusted_proxies: ['10.0.0.0/8'] },
          },
        },
      ),
    );
    expect(environment).toMatchObject({
      CORS_ORIGINS: 'https://a.example,https://b.example',
      TRUST_PROXY: '10.0.0.0/8',
      THROTTLE_LIMIT: '10',
      THROTTLE_TTL_MS: '60000',
    });
    expect(matters(todo)).toContain('POST /admin/revocations or POST /token/revoke');
    expect(controllers).toContain('@Throttled({ limit: 1, ttlMs: 2000 })');
  });

  it.each<[object, string | undefined, string]>([
    [{}, '*', ''],
    [{ allow_origins: ['*'], allow_credentials: true }, '*', 'never goes with cookies'],
    [{ allow_origins: ['https://*.a.example'] }, undefined, 'is a pattern'],
  ])('security/cors %j', async (cors, origins, line) => {
    const { environment, differs } = await translate(
      krakend([endpoint('/a')], { extra_config: { 'security/cors': cors } }),
    );
    expect(environment.CORS_ORIGINS).toBe(origins);
    expect(matters(differs)).toContain(line);
  });

  it('problems of the environment are told', async () => {
    const { todo } = await translate(
      krakend([endpoint('/a', { 'auth/signer': { ...SIGNER, alg: 'XS1', kid: 'a b' } })]),
    );
    for (const name of ['SIGNER_ALG', 'SIGNER_KID'])
      expect(matters(todo)).toContain(`the gateway does not boot with this: ${name} must be `);
  });
});

describe('hostile input', () => {
  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /is not JSON/],
    ['no object', '[]', /is not an object/],
    ['something else', '{}', /no 'endpoints'/],
    ['deep nesting', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, /nests deeper/],
    ['endpoints of no kind', '{"endpoints":{}}', /'endpoints' is not a list/],
  ])('%s', async (_name, text, reason) => {
    expect(await problems(text)).toEqual([expect.stringMatching(reason)]);
  });

  it('gives a clear error or a translation, never a crash', async () => {
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
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            mutate({ ...SIGNER, typ: 'JWT' }),
            mutate({ ...VALIDATOR, scopes: ['s'] }),
            mutate(endpoint('/a/{b}')),
            mutate({ 'validation/cel': [{ check_expr: "JWT.a == 'b'" }], 'auth/basic': {} }),
          ),
          { maxLength: 3 },
        ),
        json,
        async (endpoints, anything) => {
          const config = krakend(
            endpoints.map(([signer, validator, members, others]) => ({
              ...members,
              extra_config: { 'auth/signer': signer, 'auth/validator': validator, ...others },
            })),
            { extra_config: anything },
          );
          const lines = await problems(JSON.stringify(config));
          expect(lines.every((line) => typeof line === 'string')).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('stays text in the report and in comments', async () => {
    const { controllers = '', ...imported } = await translate(
      krakend([
        endpoint('/a', {
          'validation/cel': [{ check_expr: '*/ evil(); /* \u001b[31m\nx' }],
        }),
      ]),
    );
    expect(controllers).not.toMatch(/\*\/ evil/);
    expect(renderReport({ controllers, ...imported })).not.toContain('\u001b');
  });

  it('reads an environment back as it was printed', () => {
    const values = { A: 'https://it’s/a b#c', B: 'it\'s `x` "y"', C: '$HOME \\n', D: 'plain,1' };
    expect(parseEnv(renderEnvironment(values))).toEqual({ ...values, B: 'it\'s x "y"' });
  });
});
