import { existsSync, globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startBackend } from './helpers/backend.js';
import { startGateway } from './helpers/gateway.js';
import { call } from './helpers/http.js';
import { AUDIENCE, ISSUER } from './helpers/issuer.js';
import { hs256, part } from './helpers/keys.js';
import {
  bash,
  environmentOf,
  expectSession,
  README,
  README_BLOCKS,
  readmeBlocks,
} from './helpers/readme.js';
import { login, postForm } from './helpers/sessions.js';

describe('the blocks of the README', () => {
  it('are each run or compiled by a test', () => {
    const tests = globSync('test/**/*.e2e-spec.ts').map((file) => readFileSync(file, 'utf8'));
    const tested = (section: string): boolean =>
      tests.some((text) => text.includes(`readmeBlocks('${section}')`));
    expect(README_BLOCKS.filter(({ section }) => !tested(section))).toEqual([]);
  });

  it('hold a session that gives what it says', async () => {
    const [start, session = ''] = readmeBlocks('60 seconds');
    expect(start).toBe('npm ci && npm start\n');
    const gateway = await startGateway();
    expect(await expectSession(session, gateway.url)).toHaveLength(7);
    await gateway.stop();
  });

  it('put the gateway in front of a login of your own, in production', async () => {
    const [production = '', answer = ''] = readmeBlocks('Your own backend and keys');
    const directory = mkdtempSync(join(tmpdir(), 'signet-'));
    const [command = ''] = production.split('\n');
    // The file of the first start is there.
    await (await startGateway({}, directory)).stop();
    await bash(
      command.replace('npm run keys --', `node ${resolve('dist/cli/main.js')} keys`),
      {},
      directory,
    );
    const backend = await startBackend();
    await backend.answer('/token.json', { body: answer });
    const env = environmentOf(production);
    expect(env).toMatchObject({ NODE_ENV: 'production', BACKEND_HOST: 'http://login.internal' });
    const gateway = await startGateway({ ...env, BACKEND_HOST: backend.url }, directory);
    const { access } = await login(gateway.url);
    expect(part(access, 0)).toEqual({ alg: 'ES256', kid: 'key-1', typ: 'JWT' });
    expect(part(access, 1)).toMatchObject({ sub: '42', roles: ['role_a'] });
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    await gateway.stop();
    await backend.stop();
  });

  it('translate a configuration of KrakenD', async () => {
    const [config = '', command = ''] = readmeBlocks('Coming from KrakenD');
    const directory = mkdtempSync(join(tmpdir(), 'signet-'));
    writeFileSync(join(directory, 'krakend.json'), config);
    const report = await bash(
      command.replace('npm run signet --', `node ${resolve('dist/cli/main.js')}`),
      {},
      directory,
    );
    expect(report).toMatch(/^# To do[^]*^# Defects of KrakenD/m);
    const written = (name: string): string =>
      readFileSync(join(directory, 'imported', name), 'utf8');
    expect(written('signet.env')).toContain('BACKEND_HOST=http://login.internal\n');
    expect(written('imported.module.ts')).toContain("@RequireJwt({ roles: ['clerk'] })");
  });

  it('show an explanation as it is', async () => {
    const [shown = ''] = readmeBlocks('Why was it refused?');
    const [line = ''] = shown.split('\n');
    const gateway = await startGateway();
    const { keys } = JSON.parse(
      readFileSync(join(gateway.cwd, 'keys/signing.jwks.json'), 'utf8'),
    ) as { keys: [{ k: string }] };
    const exp = Math.floor(Date.now() / 1000) - 180;
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: '42', roles: ['clerk'], exp };
    const token = hs256(keys[0].k, { alg: 'HS256', kid: 'sim2', typ: 'JWT' }, claims);
    writeFileSync(join(gateway.cwd, 'token.txt'), `${token}\n`);
    const command = line.replace(
      '$ npm run --silent signet --',
      `node ${resolve('dist/cli/main.js')}`,
    );
    const real = await bash(`${command}; test $? = 1`, {}, gateway.cwd);
    const anonymous = (text: string): string => text.replaceAll(/\d{4}-\S*Z|\d+/g, 'N');
    expect(anonymous(real)).toBe(anonymous(shown.slice(line.length + 1)));
    const explained = await postForm(`${gateway.url}/_explain`, { token });
    expect(explained.json).toMatchObject({ accepted: false, code: 'token_expired' });
    await gateway.stop();
  });

  it('show a rotation as it is', async () => {
    const [shown = ''] = readmeBlocks('Keys');
    const rotate = 'signet keys rotate';
    expect(shown.split(rotate)).toHaveLength(4);
    const file = join(mkdtempSync(join(tmpdir(), 'signet-')), 'own.json');
    const signet = `node ${resolve('dist/cli/main.js')} keys`;
    const soon = `--file ${file} --cache-seconds 0 --ttl-seconds 0`;
    await bash(`${signet} generate --alg ES256 --file ${file} --state active`);
    let real = '';
    // A step that is not due yet says so and changes nothing.
    const step = async (verb: string): Promise<void> => {
      await expect
        .poll(async () => (real = await bash(`${signet} rotate ${soon}`)), { timeout: 15_000 })
        .toContain(verb);
      all += real.replaceAll(/^note .*\n/gm, '');
    };
    let all = '';
    for (const verb of ['prepared', 'activated', 'retired']) await step(verb);
    const anonymous = (text: string): string =>
      text.replaceAll(/[\w-]{43}|[\w-]{8}…/g, 'KID').replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME');
    expect(anonymous(all)).toBe(anonymous(shown.replaceAll(`$ ${rotate}\n`, '')));
  });
});

describe('the tables of routes and errors, and the links', () => {
  /** The part of the OpenAPI document that is looked at. */
  interface Document {
    paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
  }
  const tables = README.slice(README.indexOf('## Routes and errors'));

  it('name all that the gateway documents', async () => {
    const gateway = await startGateway({ ADMIN_ROLES: 'a', REFRESH_BACKEND_PATH: '/r' });
    const document = JSON.parse((await call(`${gateway.url}/docs-json`)).text) as Document;
    await gateway.stop();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `\`${method.toUpperCase()} ${path}\``),
    );
    expect(operations.length).toBeGreaterThan(10);
    expect(operations.filter((operation) => !tables.includes(operation))).toEqual([]);
    const codes = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ responses }) => Object.entries(responses))
      .filter(([status]) => !status.startsWith('2'))
      .flatMap(([, { description }]) => description.match(/`[a-z_]+`/g) ?? []);
    expect(codes.length).toBeGreaterThan(20);
    expect([...new Set(codes)].filter((code) => !tables.includes(code))).toEqual([]);
  });

  it('name no error code that the source does not know', () => {
    const source = globSync('src/**/*.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join('');
    const rows = tables.slice(tables.indexOf('| status'), tables.indexOf('## Troubleshooting'));
    const codes = rows.match(/`[a-z]+(?:_[a-z]+)*`/g) ?? [];
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.filter((code) => !source.includes(code.replaceAll('`', "'")))).toEqual([]);
  });

  it('lead to sections and files that exist', () => {
    const anchors = README.match(/^#{2,3} .*$/gm)?.map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...README.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    expect(links.length).toBeGreaterThan(15);
    const missing = links.filter((link) =>
      link.startsWith('#') ? anchors?.includes(link.slice(1)) !== true : !existsSync(link),
    );
    expect(missing).toEqual([]);
  });
});
