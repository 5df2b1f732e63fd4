import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from './helpers/backend.js';
import { runSignet, type CommandResult } from './helpers/cli.js';
import { compileInProject } from './helpers/compile.js';
import { compile, createConsumer, pack, startConsumer } from './helpers/consumer.js';
import { startGateway } from './helpers/gateway.js';
import { call, callWith } from './helpers/http.js';
import { hs256, part, writeKeys } from './helpers/keys.js';
import { endpoint, krakend, playground, SECRET, SIGNER, VALIDATOR } from './helpers/krakend.js';

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
  advice: string[];
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

  it('compile, with what the configuration says', async () => {
    const { controllers = '', advice } = await translate(OTHERS);
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
      'src/imported.module.ts': (await translate(config)).controllers ?? '',
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

describe('the command', () => {
  it('prints environment, controllers and report, or JSON', async () => {
    const config = krakend([endpoint('/a', { 'auth/validator': VALIDATOR })]);
    const { stdout } = await importConfig(config);
    expect(stdout).toMatch(/^# Environment\nBACKEND_HOST=http:\/\/fake_api\n/);
    expect(stdout).toMatch(/# imported\.module\.ts\nimport [^]*@RequireJwt\(\{ roles/);
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
    expect(await runSignet(['import', 'nowhere.json'], { cwd: folder })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'signet: nowhere.json: cannot be read (ENOENT)\n',
    });
  });
});
