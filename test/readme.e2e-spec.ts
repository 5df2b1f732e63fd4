import { globSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getMetadataStorage } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { withDefaults } from '../src/config/defaults.js';
import { Environment } from '../src/config/environment.js';
import { startBackend } from './helpers/backend.js';
import { compileInProject } from './helpers/compile.js';
import { startGateway } from './helpers/gateway.js';
import { part } from './helpers/keys.js';
import {
  bash,
  environmentOf,
  expectSession,
  README,
  README_BLOCKS,
  readmeBlocks,
} from './helpers/readme.js';
import { login } from './helpers/sessions.js';

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

  it('show a controller that compiles', () => {
    expect(
      compileInProject('readme-example.ts', readmeBlocks('A route of your own').join('\n')),
    ).toEqual([]);
  });
});

describe('README, .env.example and the validated environment', () => {
  const variables = [
    ...new Set(
      getMetadataStorage()
        .getTargetValidationMetadatas(Environment, '', false, false)
        .map(({ propertyName }) => propertyName),
    ),
  ];
  const defaults = withDefaults({});
  // What follows another variable is shown as unset.
  for (const name of ['VALIDATOR_ALG', 'SIGNER_ISSUER']) defaults[name] = '';
  const expected = variables.map((name) => [name, defaults[name] ?? '']);

  it('name the same variables with the same defaults in .env.example', () => {
    const lines = readFileSync('.env.example', 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm);
    expect([...lines].map(([, name, value]) => [name, value])).toEqual(expected);
  });

  it('name the same variables with the same defaults in the table', () => {
    const rows = README.matchAll(/^\| (`[A-Z_]{4,}`[^|]*) \| ([^|]*) \|/gm);
    const shown = [...rows].flatMap(([, names = '', values = '']) => {
      const list = [...values.replace(/\(P\) `[^`]*`/g, '').matchAll(/`([^`]*)`/g)];
      return [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name], index) => [
        name,
        list[index]?.[1] ?? '',
      ]);
    });
    expect(shown).toEqual(expected);
  });
});
