import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from './helpers/apps/compile.js';
import { createConsumer, ES_MODULES, pack, startConsumer } from './helpers/apps/consumer.js';
import { startGateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { tokenOf } from './helpers/issuers/issuer.js';
import { part } from './helpers/issuers/keys.js';
import { GATEWAY_PACKAGES } from '../src/packages/index.js';
import { bash, blocksOf, writeBlock } from './helpers/pages/manual.js';
import { custom, login, verdictOf } from './helpers/sessions/sessions.js';

/** The page about the library, in its order, in a fresh folder with the packed package. */
let tarball: string;
const directories: string[] = [];
const freshFolder = async (packages?: readonly string[]): Promise<string> => {
  const directory = await createConsumer(tarball, ES_MODULES, packages);
  directories.push(directory);
  return directory;
};
beforeAll(async () => {
  ({ tarball } = await pack());
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

const keyOf = (file: string): JWK =>
  (JSON.parse(readFileSync(file, 'utf8')) as { keys: [JWK] }).keys[0];

describe('the library', () => {
  it('protects and signs in an application as printed', async () => {
    const [generate, module, main] = blocksOf('library', 'An application', 'bash', 'ts', 'ts');
    const directory = await freshFolder();
    await bash(generate, {}, directory);
    writeBlock(module, directory);
    writeBlock(`${main}console.log(JSON.stringify({ url: await app.getUrl() }));\n`, directory);
    expect(compile(directory)).toBe('');
    const [, routes] = blocksOf('library', 'Everything protected', 'ts', 'bash');
    expect(await bash(routes, {}, directory)).toMatch(
      /^GET +\/orders +OrdersController\.list +token +clerk .*\nPOST .* receipt\n$/m,
    );
    const app = await startConsumer(directory, { PORT: '0' });
    const orders = `${app.hello.url}/orders`;

    const names = { iss: 'https://id.example.com', aud: 'https://api.example.com' };
    const key = keyOf(join(directory, 'keys.json'));
    const clerk = await tokenOf(key, { ...names, sub: '42', roles: ['clerk'] });
    const guest = await tokenOf(key, { ...names, roles: ['guest'] });
    expect((await callWith(orders, clerk)).text).toBe('[{"id":7,"item":"tea"}]');
    expect(verdictOf(await callWith(orders, guest))).toBe('403 roles_missing');
    expect(verdictOf(await call(orders))).toBe('401 token_missing');
    const placed = await call(orders, {
      method: 'POST',
      headers: { authorization: `Bearer ${clerk}` },
    });
    const receipt = String(placed.json.receipt);
    expect(part(receipt, 0)).toEqual({ alg: 'ES256', kid: key.kid, typ: 'receipt+jwt' });
    expect(part(receipt, 1)).toMatchObject({ sub: '42', order: 7, iss: names.iss });
    await app.stop();
  }, 120_000);
});

describe('an application with everything protected', () => {
  it('opens what is public, and knows its users', async () => {
    const [auth] = blocksOf('library', 'Everything protected', 'ts', 'bash');
    const [receipts] = blocksOf('library', 'Other contexts', 'ts');
    const [generate, , main] = blocksOf('library', 'An application', 'bash', 'ts', 'ts');
    const directory = await freshFolder();
    await bash(generate, {}, directory);
    writeBlock(auth, directory);
    writeBlock(receipts, directory);
    const module = `// src/app.module.ts
import { Controller, Get, Module, Post } from '@nestjs/common';
import { JwksModule, Public, SigningModule } from 'nest-signet';
import { auth, ProfileController } from './auth.js';
import { Receipts } from './receipts.js';

@Controller('receipts')
class ReceiptsController {
  constructor(private readonly receipts: Receipts) {}
  @Post() @Public() async make() {
    return { receipt: await this.receipts.sign(7) };
  }
}
@Module({
  imports: [
    JwksModule.forRoot({ signing: { path: 'keys.json' } }),
    SigningModule.forRoot({ alg: 'ES256' }),
    auth,
  ],
  controllers: [ProfileController, ReceiptsController],
  providers: [Receipts],
})
export class AppModule {}
`;
    writeBlock(module, directory);
    writeBlock(`${main}console.log(JSON.stringify({ url: await app.getUrl() }));\n`, directory);
    expect(compile(directory)).toBe('');
    const app = await startConsumer(directory, { PORT: '0' });
    const { url = '' } = app.hello;
    const names = { iss: 'https://id.example.com', aud: 'https://api.example.com' };
    const key = keyOf(join(directory, 'keys.json'));
    const ada = await tokenOf(key, { ...names, sub: '42' });
    expect((await callWith(`${url}/me`, ada)).text).toBe('{"name":"Ada"}');
    expect((await callWith(`${url}/news`, ada)).text).toBe('{"for":"Ada"}');
    expect((await callWith(`${url}/news`, 'stale')).text).toBe('{"for":"everybody"}');
    expect((await call(`${url}/status`)).text).toBe('open');
    expect(verdictOf(await call(`${url}/me`))).toBe('401 token_missing');
    const gone = await tokenOf(key, { ...names, sub: '43' });
    expect((await callWith(`${url}/me`, gone)).status).toBe(404);
    const { receipt } = (await call(`${url}/receipts`, { method: 'POST' })).json;
    expect(part(String(receipt), 0)).toEqual({ alg: 'ES256', kid: key.kid, typ: 'receipt+jwt' });
    expect(part(String(receipt), 1)).toEqual({ order: 7, exp: expect.any(Number) as number });
    await app.stop();
  }, 120_000);
});

describe('a store of one’s own', () => {
  it('is checked by a runner of tests, as printed', async () => {
    const [block] = blocksOf('library', 'A store of your own', 'ts');
    const directory = await freshFolder();
    writeBlock(block, directory);
    expect(compile(directory)).toBe('');
    const output = await bash(
      'node --test --test-reporter=tap dist/my-store.spec.js',
      {},
      directory,
    );
    expect(output).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(25);
  }, 120_000);
});

describe('backend calls', () => {
  it('pass the interceptors of HttpService: a header, and once more after a 503', async () => {
    const [module] = blocksOf('library', 'Backend calls', 'ts');
    const [, main] = blocksOf('library', 'An application', 'bash', 'ts', 'ts').slice(1);
    const seen: (string | undefined)[][] = [];
    const backend = createServer((request, response) => {
      const { headers } = request;
      seen.push([request.url, String(headers['x-api-key']), headers['x-attempt'] as string]);
      response.statusCode = seen.length === 1 ? 503 : 200;
      response.setHeader('content-type', 'application/json').end('[{"id":1}]');
    });
    await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
    const { port } = backend.address() as AddressInfo;
    const directory = await freshFolder();
    writeBlock(module, directory);
    writeBlock(`${main}console.log(JSON.stringify({ url: await app.getUrl() }));\n`, directory);
    expect(compile(directory)).toBe('');
    const env = { PORT: '0', USERS_HOST: `http://127.0.0.1:${port}`, USERS_KEY: 'of-users' };
    const app = await startConsumer(directory, env);
    const answer = await call(`${app.hello.url}/users`);
    expect([answer.status, answer.text]).toEqual([200, '[{"id":1}]']);
    expect(seen).toEqual([
      ['/users.json', 'of-users', undefined],
      ['/users.json', 'of-users', '2'],
    ]);
    await app.stop();
    backend.close();
  }, 120_000);
});

describe('the gateway from the package', () => {
  it('serves with the key that its command made', async () => {
    const [block] = blocksOf('library', 'The gateway from the package', 'bash');
    const [install = '', generate = '', serve] = block.trimEnd().split('\n');
    expect(serve).toBe('npx signet serve');
    const packages = install.replace(/^npm install nest-signet /, '').split(' ');
    expect(packages.filter((name) => name !== 'pino-pretty')).toEqual(GATEWAY_PACKAGES);
    const directory = await freshFolder(packages);
    await bash(generate, {}, directory);
    // Not by npx, which would not pass the signal on that ends it.
    const command = ['bash', '-c', 'exec "$0" node_modules/.bin/signet serve'];
    const gateway = await startGateway({}, directory, command);
    const { access } = await login(gateway.url);
    const { kid } = keyOf(join(directory, 'keys/signing.jwks.json'));
    expect(part(access, 0)).toEqual({ alg: 'HS256', kid, typ: 'JWT' });
    expect(await custom(gateway.url, access)).toBe('200');
    await gateway.stop();
  }, 60_000);
});
