import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { getMetadataStorage } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { withDefaults } from '../src/config/defaults.js';
import { Environment } from '../src/config/environment.js';
import { compileInProject } from './helpers/compile.js';
import { startGateway } from './helpers/gateway.js';

const README = readFileSync('README.md', 'utf8');
const blocks = (language: string): string[] =>
  [...README.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    ([, code = '']) => code,
  );

/** Runs a block as a user's shell would, with the Node that the project brings along. */
const bash = async (script: string): Promise<string> => {
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const run = await promisify(execFile)('bash', ['-c', script], { env: { ...process.env, PATH } });
  return run.stdout;
};

describe('the blocks of the README', () => {
  it('hold a session that gives what it says', async () => {
    const gateway = await startGateway();
    const session = blocks('bash').find((code) => code.includes('curl')) ?? '';
    const marker = '\u0001';
    const output = await bash(
      session
        .replaceAll('http://localhost:8080', gateway.url)
        .replace(/^# → .*$/gm, `printf '${marker}'`),
    );
    const outputs = output.split(marker);
    const expectations = [...session.matchAll(/^# → (.*)$/gm)].map(([, text = '']) => text);
    expect(expectations).toHaveLength(6);
    for (const [index, text] of expectations.entries()) expect(outputs[index]).toContain(text);
    await gateway.stop();
  });

  it('make a key that boots the gateway', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'signet-')), 'own.json');
    const code = blocks('bash').find((block) => block.includes('keys -- generate')) ?? '';
    // The next line starts a gateway, which is done here in another way.
    const [command = ''] = code.split('\n');
    await bash(
      `${command.replace('npm run keys --', 'node dist/cli/main.js keys')} --file ${file}`,
    );
    const gateway = await startGateway({
      SIGNER_ALG: 'ES256',
      SIGNER_KID: 'key-1',
      SIGNER_JWK_LOCAL_PATH: file,
    });
    expect((await fetch(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);
    expect(gateway.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
    await gateway.stop();
  });

  it('show a rotation as it is', async () => {
    const [shown = ''] = blocks('console');
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
    expect(compileInProject('readme-example.ts', blocks('ts').join('\n'))).toEqual([]);
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
