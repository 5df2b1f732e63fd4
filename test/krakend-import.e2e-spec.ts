import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { format } from 'prettier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkImport } from '../src/cli/krakend/check-import.js';
import { importConfig as importText } from '../src/cli/krakend/import-config.js';
import { startBackend } from './helpers/backends/backend.js';
import { runSignet, type CommandResult } from './helpers/gateway/cli.js';
import { GATEWAY_PACKAGES } from '../src/packages/index.js';
import { compile } from './helpers/apps/compile.js';
import {
  createConsumer,
  ES_MODULES,
  pack,
  startConsumer,
  USUAL_PACKAGES,
} from './helpers/apps/consumer.js';
import { startGateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { freePort } from './helpers/run/free-port.js';
import { hs256, part, writeKeys } from './helpers/issuers/keys.js';
import {
  endpoint,
  krakend,
  playground,
  SECRET,
  SIGNER,
  VALIDATOR,
} from './helpers/krakend/krakend.js';

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

let folder = '';
const running: { stop(): Promise<unknown> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-krakend-'));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((started) => started.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** `signet import krakend.json …` of a configuration. */
const importConfig = (config: object, ...options: string[]): Promise<CommandResult> => {
  writeFileSync(join(folder, 'krakend.json'), JSON.stringify(config));
  return runSignet(['import', 'krakend.json', ...options], { cwd: folder });
};

interface Translated {
  controllers?: string;
  todo: { matter: string; routes: string[] }[];
}
const translate = async (config: object): Promise<Translated> => {
  const { code, stdout, stderr } = await importConfig(config, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Translated;
};
describe('signet import, of the playground', () => {
  it('boots the gateway, which holds the golden vectors', async () => {
    const backend = await startBackend();
    running.push(backend);
    expect(await importConfig(playground(), '--out', 'deep/new')).toMatchObject({ code: 0 });
    const imported = parseEnv(readFileSync(join(folder, 'deep/new/signet.env'), 'utf8'));
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
});

/** All shapes in one file: it is compiled once. */
const { jwk_local_path: _file, disable_jwk_security: _flag, ...BY_URL } = VALIDATOR;
const REMOTE = {
  ...BY_URL,
  alg: 'RS256',
  jwk_url: 'http://idp.internal:8080/realms/shop/protocol/openid-connect/certs',
};
const SHAPES = krakend(
  [
    endpoint('/token', { 'auth/signer': SIGNER }, {}, { url_pattern: '/token.json' }),
    endpoint('/private/custom', { 'auth/validator': { ...VALIDATOR, roles: ['x'] } }),
    endpoint(
      '/orders/{id}/lines/{line-no}',
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
      { url_pattern: '/shop/{JWT.sub}/{id}?line={line-no}' },
    ),
    endpoint(
      '/receipt',
      {
        'auth/signer': { ...SIGNER, keys_to_sign: ['receipt'], typ: 'receipt+jwt', full: true },
        'auth/validator': VALIDATOR,
      },
      { method: 'POST' },
    ),
    endpoint('/open', {}, { method: 'PUT' }, { method: 'PATCH' }),
    endpoint('/open', {}, { method: 'DELETE', output_encoding: 'no-op' }),
    endpoint('/it-s', {
      'auth/validator': { ...VALIDATOR, issuer: "https://it's.example/\\`${x}" },
    }),
    endpoint('/remote', {
      'auth/validator': {
        ...REMOTE,
        audience: undefined,
        issuer: undefined,
        cache: true,
        cache_duration: 60,
      },
    }),
    endpoint('/remote/pinned', {
      'auth/validator': {
        ...REMOTE,
        jwk_url: 'https://idp.example/jwks',
        jwk_fingerprints: ['S3Jha2VuRCBpcyB0aGUgYmVzdCBnYXRld2F5IGV2ZXI='],
        key_identify_strategy: 'kid_x5t',
        failed_jwk_key_cooldown: '30s',
        cookie_key: 'tok',
        auth_header_name: 'X-Auth',
        scopes: ['s'],
        scopes_key: 'scp',
        scopes_matcher: 'all',
      },
    }),
    endpoint(
      '/old-names',
      { 'github.com/devopsfaith/krakend-jose/validator': { ...REMOTE, 'roles-key': 'r' } },
      { headers_to_pass: ['*'], querystring_params: ['q'] },
    ),
    endpoint('/secret-by-url', {
      'auth/validator': { ...REMOTE, alg: 'HS256', jwk_url: 'http://keys/sym.json' },
    }),
    endpoint('/cel', {
      'auth/validator': VALIDATOR,
      'validation/cel': [
        {
          check_expr:
            "'a' in JWT.groups && JWT.level >= 2 && JWT.name != 'x' && size(JWT.groups) > 0 && JWT.mail.endsWith('@a')",
        },
      ],
    }),
    endpoint('/api-key', { 'auth/api-keys': { roles: ['x'] } }),
    endpoint('/basic', { 'auth/basic': {}, 'auth/validator': VALIDATOR }),
    endpoint('/files/*', {}, { output_encoding: 'no-op' }, { url_pattern: 'static/*' }),
    endpoint('/', {}, {}, { url_pattern: '' }),
    endpoint('/text', {}, { output_encoding: 'string' }),
    endpoint('/safe', {}, {}, { encoding: 'safejson' }),
    endpoint('/limited', { 'qos/ratelimit/router': { client_max_rate: 2, every: '1h' } }),
    endpoint('/limited/too', { 'qos/ratelimit/router': { client_max_rate: 1, every: '1h' } }),
    endpoint('/things/{id}'),
    endpoint('/things/secret', { 'auth/validator': VALIDATOR }, {}, { host: ['http://other'] }),
    endpoint('/ws', { websocket: {} }),
  ],
  {
    host: ['http://fake_api'],
    extra_config: {
      'github_com/devopsfaith/bloomfilter': {
        N: 1,
        P: 0.1,
        hash_name: 'optimal',
        TTL: 1,
        port: 1,
        token_keys: ['jti'],
      },
      'security/cors': { allow_origins: ['https://app.example'] },
    },
  },
);

describe('everything at once', () => {
  it('is compiled and boots, in development and in production, and nothing that was protected is open', async () => {
    const file = writeKeys(KEYS);
    const text = JSON.stringify(SHAPES).replaceAll(VALIDATOR.jwk_local_path, file);
    const imported = await importText(text, 'krakend.json');
    expect(imported.counts).toEqual({ endpoints: 23, takenOver: 22, refused: 2, leftOut: 1 });
    const answers: Record<string, unknown>[] = [];
    const ask = async (url: string, path: string, init: RequestInit = {}): Promise<unknown> => {
      const { status, json } = await call(`${url}${path}`, init);
      return [status, json.code];
    };
    const checked = await checkImport(imported, folder, async (root) => {
      const app = await NestFactory.create(root, {
        logger: false,
        abortOnError: false,
        bodyParser: false,
        routeConflictPolicy: { duplicate: 'error' },
      });
      await app.listen(0, '127.0.0.1');
      const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
      try {
        const token = (claims: object) => ({
          headers: { authorization: `Bearer ${hs256(SECRET, HEADER, { ...CLAIMS, ...claims })}` },
        });
        answers.push({
          apiKey: await ask(url, '/api-key'),
          secret: await ask(url, '/things/secret'),
          basic: await ask(url, '/basic'),
          basicWithToken: await ask(url, '/basic', token({})),
          remote: await ask(url, '/remote'),
          celFails: await ask(
            url,
            '/cel',
            token({ groups: ['a'], level: 1, name: 'y', mail: 'x@a' }),
          ),
          celWithout: await ask(url, '/cel', token({})),
          custom: await ask(url, '/private/custom', token({})),
          token: await ask(url, '/orders/1/lines/2', token({})),
          // The backend is not there.
          limited: [
            (await call(`${url}/limited`)).status,
            (await call(`${url}/limited/too`)).status,
            (await call(`${url}/limited`)).status,
            ...((await ask(url, '/limited')) as unknown[]),
            ...((await ask(url, '/limited/too')) as unknown[]),
          ],
        });
      } finally {
        await app.close();
      }
    });
    expect(checked.problems).toEqual([]);
    const expected = {
      apiKey: [403, 'not_imported'],
      secret: [401, 'token_missing'],
      basic: [403, 'not_imported'],
      basicWithToken: [403, 'not_imported'],
      remote: [401, 'token_missing'],
      celFails: [403, 'claim_invalid'],
      celWithout: [403, 'claim_invalid'],
      custom: [403, 'roles_missing'],
      token: [401, 'audience_mismatch'],
      limited: [502, 502, 502, 429, 'rate_limited', 429, 'rate_limited'],
    };
    expect(answers).toEqual([expected, expected]);
  });
});

describe('the environment', () => {
  const file = (alg: string, members: object = {}) => ({
    'auth/validator': { ...VALIDATOR, alg, ...members },
  });
  const remote = (members: object = {}) => ({ 'auth/validator': { ...REMOTE, ...members } });
  const signer = (members: object = {}) =>
    endpoint('/token', { 'auth/signer': { ...SIGNER, ...members } }, { method: 'POST' });

  it.each<[string, unknown[]]>([
    ['a signer alone', [signer()]],
    ['a signer of ES256', [signer({ alg: 'ES256', kid: 'e1' })]],
    ['signing keys by http', [signer({ jwk_local_path: undefined, jwk_url: 'http://keys/s' })]],
    ['a signer, and tokens of others', [signer(), endpoint('/a', remote())]],
    ['tokens of others alone', [endpoint('/a', remote())]],
    [
      'tokens of others without issuer and audience',
      [endpoint('/a', remote({ issuer: undefined, audience: [] }))],
    ],
    [
      'tokens of others by https',
      [endpoint('/a', remote({ jwk_url: 'https://idp.example/jwks' }))],
    ],
    ['a secret by URL', [endpoint('/a', remote({ alg: 'HS256' }))]],
    [
      'a secret by URL without issuer',
      [endpoint('/a', remote({ alg: 'HS256', issuer: undefined }))],
    ],
    ['a file of a secret', [endpoint('/a', file('HS512'))]],
    ['a file of a secret without issuer', [endpoint('/a', file('HS256', { issuer: undefined }))]],
    ['a file of public keys', [endpoint('/a', file('RS256'))]],
    [
      'a file of public keys without issuer',
      [endpoint('/a', file('EdDSA', { issuer: undefined }))],
    ],
    [
      'no audience with one of two',
      [endpoint('/a', file('HS256')), endpoint('/b', file('HS256', { audience: undefined }))],
    ],
    ['nothing of tokens', [endpoint('/a')]],
  ])('of %s boots, in development and in production', async (_name, endpoints) => {
    const imported = await importText(JSON.stringify(krakend(endpoints)), 'krakend.json');
    // Without the controllers: what is compiled was compiled above.
    const { problems } = await checkImport({ ...imported, controllers: undefined }, folder);
    expect(problems).toEqual([]);
  });
});

describe('signet import --check', () => {
  it('compiles, boots, and says what stood in for what is not there', async () => {
    const config = krakend([
      endpoint('/a', { 'auth/validator': VALIDATOR }),
      endpoint('/b', { 'auth/validator': { ...VALIDATOR, audience: undefined } }),
    ]);
    const { code, stdout } = await importConfig(config, '--check');
    expect(stdout).toMatch(
      /# Checked with\n[^#]*- \/etc\/krakend\/jwk\/symmetric\.json is a new key, since the file is not there\n/,
    );
    expect(stdout).toMatch(/\nIt compiles, and boots in development and in production\.\n$/);
    expect(code).toBe(0);
  });

  it('fails where the result does not work as it is', async () => {
    const config = krakend([
      endpoint('/a', {
        'auth/validator': {
          ...VALIDATOR,
          jwk_url: 'https://idp.example/a',
          jwk_local_ca: 'ca.pem',
          alg: 'RS256',
          jwk_local_path: undefined,
        },
      }),
    ]);
    const { code, stdout } = await importConfig(config, '--check');
    expect(stdout).toMatch(/# It does not work as it is\n- imported\.module\.ts: ENOENT.*ca\.pem/);
    expect(code).toBe(1);
  });
});

describe('signet import of a template', () => {
  const TEMPLATE = `{ "version": 3, "port": {{ .service.port }}, "endpoints": [
    {{ range $i, $e := .endpoints }}{{ if $i }},{{ end }}{{ template "endpoint.tmpl" $e }}{{ end }}
  ], {{ include "cors.txt" }} }`;

  it('says what is missing, and renders it', async () => {
    for (const name of ['settings', 'partials', 'templates']) mkdirSync(join(folder, name));
    const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
    write('krakend.tmpl', TEMPLATE);
    const run = (...options: string[]) =>
      runSignet(['import', 'krakend.tmpl', ...options], { cwd: folder });
    const missing = await run();
    expect([missing.code, missing.stderr.split('\n')]).toEqual([
      1,
      [
        'signet: krakend.tmpl is a template: setting .service.port is missing: name its folder with --settings',
        'signet: krakend.tmpl is a template: setting .endpoints is missing: name its folder with --settings',
        'signet: krakend.tmpl is a template: partial cors.txt is missing: name its folder with --partials',
        '',
      ],
    ]);
    write('settings/service.yaml', 'port: 9090\n');
    write('settings/endpoints.json', '[{"path":"/a"},{"path":"/b"}]');
    write('partials/cors.txt', '"extra_config": {}');
    write(
      'templates/endpoint.tmpl',
      '{"endpoint":"{{ .path }}","backend":[{"host":["http://b"]}]}',
    );
    const options = [
      '--settings',
      'settings',
      '--partials',
      'partials',
      '--templates',
      'templates',
    ];
    const { stdout } = await run(...options, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      environment: { PORT: '9090' },
      counts: { endpoints: 2, takenOver: 2 },
    });
  });
});

describe('signet import --compare', () => {
  /** A gateway that answers as the table says. */
  const serve = async (answers: Record<string, [number, string, string?]>): Promise<string> => {
    const server = createServer((request, response) => {
      const key = `${request.url} ${request.headers.authorization ?? ''}`.trim();
      const [status, body, type = 'application/json'] = answers[key] ?? [404, ''];
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    running.push({ stop: async () => void server.close() });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('sends the same requests to both, and says where they differ', async () => {
    const common: Record<string, [number, string, string?]> = {
      '/guarded Bearer T': [200, '{"a":1,"b":2}'],
      '/guarded': [401, ''],
      '/guarded Bearer a.bad.token': [401, ''],
    };
    const old = await serve({
      ...common,
      '/open': [200, '[1]'],
      '/typed': [200, 'x', 'text/plain'],
    });
    const now = await serve({
      '/guarded Bearer T': [200, '{"b":2,"a":1}', 'application/json; charset=utf-8'],
      '/guarded': [401, '{"code":"token_missing"}'],
      '/guarded Bearer a.bad.token': [403, ''],
      '/open': [200, '[2]'],
      '/typed': [200, 'x'],
    });
    const config = krakend([
      endpoint('/guarded', { 'auth/validator': VALIDATOR }),
      endpoint('/open'),
      endpoint('/typed'),
      endpoint('/a/{id}'),
      endpoint('/write', {}, { method: 'POST' }),
      endpoint('/token', { 'auth/signer': SIGNER }),
    ]);
    writeFileSync(join(folder, 'krakend.json'), JSON.stringify(config));
    const result = await runSignet(
      ['import', '--compare', old, now, '--token', 'T', 'krakend.json'],
      { cwd: folder },
    );
    expect(result).toEqual({
      code: 1,
      stderr: '',
      stdout: `5 requests, 3 of them with another answer

# Different
- GET /guarded with a.bad.token: status 401 before, 403 now
- GET /open: another body
- GET /typed: content type text/plain before, application/json now

# Not asked
- GET /a/{id}: its path has a parameter
- POST /write: it may change something
- GET /token: it makes tokens
`,
    });
    const same = await runSignet(['import', 'krakend.json', '--compare', old, old, '--json'], {
      cwd: folder,
    });
    expect([same.code, JSON.parse(same.stdout)]).toMatchObject([0, { differences: [] }]);
    const gone = await runSignet(
      ['import', '--compare', old, `http://127.0.0.1:${await freePort()}`, 'krakend.json'],
      { cwd: folder },
    );
    expect(gone.stdout).toContain('GET /open: 200 before, no answer (ECONNREFUSED) now');
    const wrong = await runSignet(['import', '--compare', old, '--', 'krakend.json'], {
      cwd: folder,
    });
    expect(wrong.stderr).toBe(
      'signet: --compare needs the URLs of the old and of the new gateway\n',
    );
  });
});

describe('controllers', () => {
  it('serve in an application, and keep a claim and a parameter inside of their segment', async () => {
    const backend = await startBackend();
    running.push(backend);
    await backend.answer('/shop/a%2F..%2Fb/7%2F8', { body: { ok: true } });
    const config = krakend([
      endpoint(
        '/orders/{id}/lines/{line}',
        { 'auth/validator': { ...VALIDATOR, roles: ['clerk'], jwk_local_path: writeKeys(KEYS) } },
        {},
        { host: [backend.url], url_pattern: '/shop/{JWT.sub}/{id}?line={line}' },
      ),
      endpoint('/echo', {}, { method: 'POST' }, { host: [backend.url], url_pattern: '/echo' }),
    ]);
    await backend.answer('/echo', { status: 202, body: { id: 9 } });
    const controllers = (await translate(config)).controllers ?? '';
    const style = {
      parser: 'typescript',
      singleQuote: true,
      trailingComma: 'all',
      printWidth: 100,
    } as const;
    expect(await format(controllers, style)).toBe(controllers);
    const { tarball } = await pack();
    const directory = await createConsumer(
      tarball,
      {
        ...ES_MODULES,
        'src/imported.module.ts': controllers,
        'src/main.ts': `
        import type { AddressInfo } from 'node:net';
        import { Module } from '@nestjs/common';
        import { NestFactory } from '@nestjs/core';
        import { AuthModule, JwksModule } from 'nest-signet';
        import { testIssuer } from 'nest-signet/testing';
        import { ImportedModule } from './imported.module.js';
        @Module({ imports: [ImportedModule, JwksModule.forRoot(testIssuer().jwksOptions),
          AuthModule.forRoot(testIssuer().authOptions)] })
        class App {}
        const app = await NestFactory.create(App, { logger: ['error'], rawBody: true });
        await app.listen(0, '127.0.0.1');
        const { port } = app.getHttpServer().address() as AddressInfo;
        console.log(JSON.stringify({
          url: 'http://127.0.0.1:' + port,
        }));`,
      },
      [...USUAL_PACKAGES, ...GATEWAY_PACKAGES],
    );
    expect(compile(directory)).toBe('');
    symlinkSync(resolve('node_modules/typescript'), join(directory, 'node_modules/typescript'));
    const signet = join(directory, 'node_modules/nest-signet/dist/cli/main.js');
    const args = [signet, 'import', join(folder, 'krakend.json'), '--check'];
    const checked = await promisify(execFile)(process.execPath, args, { cwd: directory });
    expect(checked.stdout).toMatch(
      /\nIt compiles, and boots in development and in production\.\n$/,
    );
    const app = await startConsumer(directory);
    running.push(app);
    const { url } = app.hello;
    const token = hs256(SECRET, HEADER, { ...CLAIMS, sub: 'a/../b', roles: ['clerk'] });
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

describe('the command', () => {
  it('prints environment, controllers and report, or JSON', async () => {
    const config = krakend([endpoint('/a', { 'auth/validator': VALIDATOR })]);
    const { stdout } = await importConfig(config);
    expect(stdout).toMatch(/^# Environment\nBACKEND_HOST=http:\/\/fake_api\n/);
    expect(stdout).toMatch(/# imported\.module\.ts\nimport [^]*@RequireJwt\(\{\s+roles/);
    expect(stdout).toMatch(/# Defects of KrakenD [^]*- D2 A {2}/);
    const { stdout: json } = await importConfig(config, '--json');
    expect(JSON.parse(json)).toHaveProperty('environment.VALIDATOR_ALG', 'HS256');
  });

  it('overwrites nothing, and says what it cannot do', async () => {
    mkdirSync(join(folder, 'out'));
    expect(await importConfig(playground(), '--out', 'out')).toMatchObject({ code: 0, stderr: '' });
    const before = readFileSync(join(folder, 'out/signet.env'), 'utf8');
    expect(await importConfig(krakend([endpoint('/a')]), '--out', 'out')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'signet: out: cannot be written (EEXIST)\n',
    });
    expect(readFileSync(join(folder, 'out/signet.env'), 'utf8')).toBe(before);
    expect(await importConfig(playground(), '--out', '/proc/none/out')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^signet: \/proc\/none\/out: cannot be written \(E[A-Z]+\)\n$/,
      ) as string,
    });
    expect(await runSignet(['import', 'nowhere.json'], { cwd: folder })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'signet: nowhere.json: cannot be read (ENOENT)\n',
    });
  });
});
