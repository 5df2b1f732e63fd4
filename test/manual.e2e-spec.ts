import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startBackend } from './helpers/backends/backend.js';
import { startGateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { AUDIENCE } from './helpers/issuers/issuer.js';
import { hs256, part } from './helpers/issuers/keys.js';
import {
  bash,
  blocksOf,
  expectSession,
  PAGES,
  startAsPrinted,
  startByDefaults,
} from './helpers/pages/manual.js';
import { login, postForm } from './helpers/sessions/sessions.js';

const directories: string[] = [];
const freshFolder = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'signet-manual-'));
  directories.push(directory);
  return directory;
};
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** The command that the page about keys calls three times, and what it prints. */
function rotation(): { command: string; shown: string } {
  const [session] = blocksOf('keys', 'Rotation', 'console');
  const [line = ''] = session.split('\n');
  expect(session.split(line)).toHaveLength(4);
  return { command: line.replace('$ ', ''), shown: session.replaceAll(`${line}\n`, '') };
}

describe('the blocks of the manual', () => {
  it('hold a session that gives what it says', async () => {
    const [start, session] = blocksOf('README', '60 seconds', 'bash', 'bash');
    expect(start).toBe('npm ci && npm start\n');
    const gateway = await startByDefaults();
    expect(await expectSession(session, gateway.url)).toHaveLength(7);
    await gateway.stop();
  });

  it('put the gateway in front of a login of your own, in production', async () => {
    const [start, answer] = blocksOf('production', 'Your own backend and keys', 'bash', 'json');
    expect(start).toContain('BACKEND_HOST=http://login.internal ');
    const backend = await startBackend();
    await backend.answer('/token.json', { body: answer });
    const gateway = await startAsPrinted(start, freshFolder(), {
      BACKEND_HOST: backend.url,
      SHUTDOWN_DELAY_MS: '0',
    });
    const { access } = await login(gateway.url);
    expect(part(access, 0)).toMatchObject({ alg: 'ES256', typ: 'JWT' });
    expect(part(access, 1)).toMatchObject({
      sub: '42',
      iss: 'https://tokens.example.com',
      aud: 'https://api.example.com',
    });
    await backend.answer('/user/1.json', { body: {} });
    expect((await callWith(`${gateway.url}/private/custom`, access)).status).toBe(200);
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    await gateway.stop();
    await backend.stop();
  });

  it('translate a configuration of KrakenD', async () => {
    const [config, command] = blocksOf('krakend', 'Coming from KrakenD', 'json', 'bash');
    const directory = freshFolder();
    writeFileSync(join(directory, 'krakend.json'), config);
    const report = await bash(command, {}, directory);
    expect(report).toMatch(/^# Behaves differently[^]*^# To do[^]*^# Defects of KrakenD/m);
    const written = (name: string): string =>
      readFileSync(join(directory, 'imported', name), 'utf8');
    expect(written('signet.env')).toContain('BACKEND_HOST=http://login.internal\n');
    expect(written('imported.module.ts')).toMatch(/@RequireJwt\(\{\s+roles: \['clerk'\]/);
  });

  it('show an explanation as it is', async () => {
    const [shown] = blocksOf('troubleshooting', 'Why was it refused?', 'console');
    const [line = ''] = shown.split('\n');
    const gateway = await startGateway();
    const { keys } = JSON.parse(
      readFileSync(join(gateway.cwd, 'keys/signing.jwks.json'), 'utf8'),
    ) as { keys: [{ k: string }] };
    const exp = Math.floor(Date.now() / 1000) - 180;
    // By the defaults of the command, which knows of no free port.
    const claims = {
      iss: 'http://localhost:8080',
      aud: AUDIENCE,
      sub: '42',
      roles: ['clerk'],
      exp,
    };
    const token = hs256(keys[0].k, { alg: 'HS256', kid: 'sim2', typ: 'JWT' }, claims);
    writeFileSync(join(gateway.cwd, 'token.txt'), `${token}\n`);
    const real = await bash(`${line.replace('$ ', '')} || test $? = 1`, {}, gateway.cwd);
    const anonymous = (text: string): string => text.replaceAll(/\d{4}-\S*Z|\d+/g, 'N');
    expect(anonymous(real)).toBe(anonymous(shown.slice(line.length + 1)));
    const explained = await postForm(`${gateway.url}/_explain`, { token });
    expect(explained.json).toMatchObject({ accepted: false, code: 'token_expired' });
    await gateway.stop();
  });

  it('begin a rotation in a file with keys of two algorithms', async () => {
    const directory = freshFolder();
    await (await startGateway({}, directory)).stop();
    await bash(blocksOf('recipes', 'A key for ES256', 'bash')[0], {}, directory);
    const said = await bash(rotation().command, {}, directory);
    expect(said).toMatch(/^prepared /);
    const file = readFileSync(join(directory, 'keys/signing.jwks.json'), 'utf8');
    const { keys } = JSON.parse(file) as { keys: { kid: string; alg: string }[] };
    expect(keys.map(({ kid, alg }) => (alg === 'HS256' ? kid : alg))).toEqual([
      'sim2',
      'ES256',
      'ES256',
    ]);
  });

  it('show a rotation as it is', async () => {
    const { command, shown } = rotation();
    const file = join(freshFolder(), 'own.json');
    await bash(`npm run keys -- generate --alg ES256 --file ${file} --state active`);
    // Without waiting until verifiers know the key, and tokens have expired.
    const soon = `${command} --file ${file} --cache-seconds 0 --ttl-seconds 0`;
    let all = '';
    // A step that is not due yet says so and changes nothing.
    for (const verb of ['prepared', 'activated', 'retired']) {
      let real = '';
      await expect.poll(async () => (real = await bash(soon)), { timeout: 15_000 }).toContain(verb);
      all += real.replaceAll(/^note .*\n/gm, '');
    }
    const anonymous = (text: string): string =>
      text.replaceAll(/[\w-]{43}|[\w-]{8}…/g, 'KID').replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME');
    expect(anonymous(all)).toBe(anonymous(shown));
  });
});

describe('the tables of routes and errors', () => {
  /** The part of the OpenAPI document that is looked at. */
  interface Document {
    paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
  }
  const page = PAGES.get('routes-and-errors') ?? '';
  const [routes = '', errors = ''] = page.split('## Errors');

  it('name all that the gateway documents', async () => {
    const gateway = await startGateway({ ADMIN_ROLES: 'a', REFRESH_BACKEND_PATH: '/r' });
    const document = JSON.parse((await call(`${gateway.url}/docs-json`)).text) as Document;
    await gateway.stop();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `\`${method.toUpperCase()} ${path}\``),
    );
    expect(operations.length).toBeGreaterThan(10);
    expect(operations.filter((operation) => !routes.includes(operation))).toEqual([]);
    const codes = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ responses }) => Object.entries(responses))
      .filter(([status]) => !status.startsWith('2'))
      .flatMap(([, { description }]) => description.match(/`[a-z_]+`/g) ?? []);
    expect(codes.length).toBeGreaterThan(20);
    expect([...new Set(codes)].filter((code) => !errors.includes(code))).toEqual([]);
  });

  it('name no error code that the source does not know', () => {
    const source = globSync('src/**/*.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join('');
    const rows = errors.match(/^\| .*$/gm) ?? [];
    const codes = rows
      .flatMap((row) => row.match(/`[a-z]+(?:_[a-z]+)*`/g) ?? [])
      .filter((code) => code !== '`code`');
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.filter((code) => !source.includes(code.replaceAll('`', "'")))).toEqual([]);
  });
});
