import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { CommandError } from '../src/cli/command.error.js';
import { importConfig, type ImportedConfig } from '../src/cli/krakend/import-config.js';
import { renderEnvironment } from '../src/cli/krakend/render.js';
import { startBackend } from './helpers/backend.js';
import { compileInProject } from './helpers/compile.js';
import { compile, createConsumer, pack, startConsumer } from './helpers/consumer.js';
import { startGateway } from './helpers/gateway.js';
import { call, callWith } from './helpers/http.js';
import { hs256, part, writeKeys } from './helpers/keys.js';
import { endpoint, krakend, playground, SECRET, SIGNER, VALIDATOR } from './helpers/krakend.js';

const CLI = resolve('dist/cli/main.js');
const KEYS = [
  { kty: 'oct', alg: 'A128KW', k: 'GawgguFyGrWKav7AX4VKUg', kid: 'sim1' },
  { kty: 'oct', k: SECRET, kid: 'sim2', alg: 'HS256' },
];
const HEADER = { alg: 'HS256', kid: 'sim2', typ: 'JWT' };
const CLAIMS = {
  aud: 'http://api.example.com',
  exp: 2_051_882_755,
  iss: 'https://krakend.io',
  jti: 'mnb23vcsrt756yuiomnbvcx98ertyuiop',
  roles: ['role_a', 'role_b'],
  sub: '1234567890qwertyuio',
};

const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((started) => started.stop()));
});

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
const write = (config: object): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'signet-krakend-')), 'krakend.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
};
const signet = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args]);

describe('signet import, of the playground', () => {
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
      VALIDATOR_ALG: 'HS256',
      VALIDATOR_JWK_LOCAL_PATH: '/etc/krakend/jwk/symmetric.json',
      VALIDATOR_ISSUER: 'https://krakend.io',
      VALIDATOR_AUDIENCE: 'http://api.example.com',
      VALIDATOR_ROLES_KEY: 'roles',
    });
    expect([controllers, unknown, notTakenOver]).toEqual([undefined, [], []]);
  });

  it('boots the gateway, which holds the golden vectors', async () => {
    const backend = await startBackend();
    running.push(backend);
    const file = write(playground());
    const directory = join(mkdtempSync(join(tmpdir(), 'signet-out-')), 'new');
    await signet('import', file, '--out', directory);
    const imported = parseEnv(readFileSync(join(directory, 'signet.env'), 'utf8'));
    const keys = writeKeys(KEYS);
    const gateway = await startGateway({
      ...(imported as Record<string, string>),
      // The places of this machine.
      PORT: '0',
      BACKEND_HOST: backend.url,
      SIGNER_JWK_LOCAL_PATH: keys,
      VALIDATOR_JWK_LOCAL_PATH: keys,
    });
    running.push(gateway);
    await backend.answer('/token.json', { body: { access_token: CLAIMS } });
    await backend.answer('/user/1.json', { body: { id: 1 } });
    const custom = async (token: string) => {
      const { status, json } = await callWith(`${gateway.url}/private/custom`, token);
      return [status, json.code ?? json.id];
    };
    expect(await custom(hs256(SECRET, HEADER, { ...CLAIMS, roles: ['role_y'] }))).toEqual([
      403,
      'roles_missing',
    ]);
    expect(await custom('a.bad.token')).toEqual([401, 'token_malformed']);
    expect(await custom(hs256(SECRET, HEADER, CLAIMS))).toEqual([200, 1]);
    const { json } = await call(`${gateway.url}/token`, { method: 'POST' });
    const { iat: _iat, ...signed } = part(String(json.access_token), 1);
    expect([part(String(json.access_token), 0), signed]).toEqual([HEADER, CLAIMS]);
    expect((await custom(String(json.access_token)))[0]).toBe(200);
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

describe('controllers', () => {
  const OTHERS = krakend(
    [
      ...(playground().endpoints as object[]),
      endpoint(
        '/orders/{id}/lines/{line}',
        {
          'auth/validator': {
            ...VALIDATOR,
            roles: ['clerk'],
            audience: ['a', 'b'],
            propagate_claims: [
              ['sub', 'x-user'],
              ['realm.id', 'x-realm'],
            ],
            leeway: '5s',
          },
        },
        {
          input_headers: ['X-User', 'X-Trace', 'Content-Type'],
          input_query_strings: ['page'],
          timeout: '800ms',
        },
        { url_pattern: '/shop/{JWT.sub}/{id}?line={line}' },
      ),
      endpoint(
        '/receipt',
        {
          'auth/signer': {
            ...SIGNER,
            keys_to_sign: ['receipt'],
            kid: 'r1',
            typ: 'receipt+jwt',
            full: true,
          },
          'auth/validator': VALIDATOR,
        },
        { method: 'POST' },
      ),
      endpoint('/open', {}, { method: 'PUT' }, { host: ['other:8000'], method: 'PATCH' }),
      endpoint('/open', {}, { method: 'DELETE' }),
      endpoint('/it-s', {
        'auth/validator': { ...VALIDATOR, issuer: "https://it's.example/\\`${x}" },
      }),
    ],
    { host: ['http://fake_api'] },
  );

  it('compile, with what the configuration says', () => {
    const { controllers = '', advice } = translate(OTHERS);
    expect(compileInProject('imported.module.ts', controllers)).toEqual([]);
    expect(controllers).toContain("@Controller('orders/:id/lines/:line')");
    expect(controllers).toContain(
      "@RequireJwt({ roles: ['clerk'], audience: ['a', 'b'], audienceMatcher: 'all', leeway: 5, propagateClaims: { sub: 'x-user', ['realm.id']: 'x-realm' } })",
    );
    expect(controllers).toContain(
      'path: `/shop/{JWT.sub}/${pathSegment(idParam)}?line=${pathSegment(lineParam)}`',
    );
    expect(controllers).toContain(
      "@SignFields({ fields: ['receipt'], kid: 'r1', typ: 'receipt+jwt', full: true })",
    );
    expect(controllers).toContain(
      "host: 'http://fake_api', timeoutMs: 800, inputHeaders: ['x-trace'], inputQueryStrings: ['page'], isGlobal: false",
    );
    expect(controllers).toContain("host: 'http://other:8000'");
    expect(controllers).toContain("method: 'PATCH'");
    expect(advice.filter((line) => line.includes('does not boot'))).toEqual([]);
  });

  it('serve in an application, and keep a claim and a parameter inside of their segment', async () => {
    const backend = await startBackend();
    running.push(backend);
    await backend.answer('/shop/a%2F..%2Fb/7%2F8', { body: { ok: true } });
    const config = krakend([
      endpoint(
        '/orders/{id}/lines/{line}',
        { 'auth/validator': { ...VALIDATOR, roles: ['clerk'] } },
        {},
        { host: [backend.url], url_pattern: '/shop/{JWT.sub}/{id}?line={line}' },
      ),
      endpoint('/echo', {}, { method: 'POST' }, { host: [backend.url], url_pattern: '/echo' }),
    ]);
    await backend.answer('/echo', { status: 202, body: { id: 9 } });
    const { tarball } = await pack();
    const directory = await createConsumer(tarball, {
      'package.json': JSON.stringify({ name: 'shop', type: 'module' }),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2023',
          strict: true,
          skipLibCheck: true,
          experimentalDecorators: true,
          emitDecoratorMetadata: true,
          types: ['node'],
          outDir: 'dist',
          rootDir: 'src',
        },
      }),
      'src/imported.module.ts': translate(config).controllers ?? '',
      'src/main.ts': `
        import type { AddressInfo } from 'node:net';
        import { Module } from '@nestjs/common';
        import { NestFactory } from '@nestjs/core';
        import { AuthModule, JwksModule } from 'nest-signet';
        import { testIssuer, signTestToken } from 'nest-signet/testing';
        import { ImportedModule } from './imported.module.js';
        @Module({ imports: [ImportedModule, JwksModule.forRoot(testIssuer().jwksOptions),
          AuthModule.forRoot(testIssuer().authOptions)] })
        class App {}
        const app = await NestFactory.create(App, { logger: ['error'] });
        await app.listen(0, '127.0.0.1');
        const { port } = app.getHttpServer().address() as AddressInfo;
        console.log(JSON.stringify({
          url: 'http://127.0.0.1:' + port,
          token: await signTestToken({ sub: 'a/../b', roles: ['clerk'] }),
        }));`,
    });
    expect(await compile(directory)).toBe('');
    const app = await startConsumer(directory);
    running.push(app);
    const { url, token = '' } = app.hello;
    const served = await callWith(`${url}/orders/7%2F8/lines/%3F`, token);
    expect([served.status, served.json]).toEqual([200, { ok: true }]);
    expect(backend.seen.at(-1)?.url).toBe('/shop/a%2F..%2Fb/7%2F8?line=%3F');
    expect((await callWith(`${url}/orders/%2e%2e/lines/1`, token)).status).toBe(404);
    expect((await call(`${url}/orders/7/lines/1`)).status).toBe(401);
    const echoed = await call(`${url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":[1]}',
    });
    expect([echoed.status, echoed.json]).toEqual([202, { id: 9 }]);
    expect(backend.seen.at(-1)?.body.toString()).toBe('{"a":[1]}');
    expect(backend.seen).toHaveLength(2);
  }, 120_000);
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
    expect(translate(config).advice.filter((line) => line.includes('does not boot'))).toEqual([
      expect.stringContaining('SIGNER_ALG'),
      expect.stringContaining('SIGNER_KID'),
    ]);
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

  it('gives a clear error or controllers that compile, never a crash', () => {
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

describe('the command', () => {
  it('prints environment, controllers and report, or JSON', async () => {
    const file = write(krakend([endpoint('/a', { 'auth/validator': VALIDATOR })]));
    const { stdout } = await signet('import', file);
    expect(stdout).toMatch(/^# Environment\nBACKEND_HOST=http:\/\/fake_api\n/);
    expect(stdout).toMatch(/# imported\.module\.ts\nimport [^]*@RequireJwt\(\{ roles/);
    expect(stdout).toMatch(/# Defects of KrakenD [^]*- D2 A {2}/);
    const { stdout: json } = await signet('import', file, '--json');
    expect(JSON.parse(json)).toHaveProperty('environment.VALIDATOR_ALG', 'HS256');
  });

  it('overwrites nothing, and says what it cannot do', async () => {
    const file = write(playground());
    const directory = mkdtempSync(join(tmpdir(), 'signet-out-'));
    await signet('import', file, '--out', directory);
    await expect(signet('import', file, '--out', directory)).rejects.toMatchObject({
      code: 1,
      stderr: `signet: ${directory}: cannot be written (EEXIST)\n`,
    });
    await expect(signet('import', 'nowhere.json')).rejects.toMatchObject({
      code: 1,
      stderr: 'signet: nowhere.json: cannot be read (ENOENT)\n',
    });
  });
});
