import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLI, runSignet, startSignet, type CommandResult } from './helpers/gateway/cli.js';

/*
 * What only the built command in a process of its own can show. Everything else calls the command in
 * this process: test/keys-cli.e2e-spec.ts, test/explain.e2e-spec.ts, test/krakend-import.e2e-spec.ts.
 */
type Stored = JWK & { signet?: { state: string } };

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-process-'));
  file = join(folder, 'keys', 'signing.jwks.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (args: string[], env: Record<string, string> = {}, input = '') =>
  startSignet(args, { cwd: folder, env, input });
const keys = (...args: string[]): Promise<CommandResult> => start(['keys', ...args]).result;
const stored = (): Stored[] => (JSON.parse(readFileSync(file, 'utf8')) as { keys: Stored[] }).keys;

/** Runs a script of bash in the folder; `$SIGNET` is the command. */
async function bash(script: string): Promise<CommandResult> {
  const env = { PATH: process.env.PATH, SIGNET: `${process.execPath} ${CLI}` };
  const child = spawn('bash', ['--norc', '-c', script], { cwd: folder, env });
  const result = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (result.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (result.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { ...result, code };
}

describe('the built command', () => {
  it('has exit code 0 and its result on standard output, or 1 and one line per problem on the other', async () => {
    const made = await keys('generate', '--kid', 'k1');
    expect(made).toEqual({
      code: 0,
      stdout:
        'kid   k1\nalg   HS256\nfile  keys/signing.jwks.json\nnext  signet serve; a gateway that runs follows the file\n',
      stderr: '',
    });
    expect(await keys('generate')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'signet: keys/signing.jwks.json: exists already and is not overwritten; --add adds a key to it\n',
    });
    expect((await keys('list')).stdout).toBe(
      (await runSignet(['keys', 'list'], { cwd: folder })).stdout,
    );
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await start(['--version']).result).toEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
  });

  it('reads a pipe to its end', async () => {
    const secret = 'c'.repeat(40);
    const { code, stdout } = await bash(
      `(printf ${secret.slice(0, 20)}; sleep 0.2; printf ${secret.slice(20)}) | $SIGNET keys import --encoding text --kid piped`,
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining('from  40 bytes in text')]);
    expect(Buffer.from(stored()[0]?.k ?? '', 'base64url').toString()).toBe(secret);
  });

  it.each(['<($SIGNET keys public)', '/dev/stdin < <($SIGNET keys public)', '/dev/stdin < keys/k'])(
    'reads a file that the shell names: %s',
    async (named) => {
      await runSignet(['keys', 'generate', '--alg', 'ES256', '--kid', 'k1'], { cwd: folder });
      await bash('ln -s signing.jwks.json keys/k');
      const { code, stdout } = await bash(`$SIGNET keys list --file ${named}`);
      expect([code, stdout]).toEqual([0, expect.stringContaining('k1   ES256')]);
    },
  );

  it('ends in peace when nobody reads on', async () => {
    await runSignet(['keys', 'generate'], { cwd: folder });
    const { child, result } = start(['keys', 'list']);
    child.stdout.destroy();
    expect(await result).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('fails when its result cannot be written', async () => {
    await runSignet(['keys', 'generate'], { cwd: folder });
    expect(await bash('$SIGNET keys list > /dev/full')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'signet: the result cannot be written (ENOSPC)\n',
    });
  });

  it('reads .env where it is started, and the environment wins', async () => {
    const { code } = await bash(
      `printf 'SIGNER_ALG=ES256\\nSIGNER_JWK_LOCAL_PATH=b.json\\n' > .env && SIGNER_JWK_LOCAL_PATH=a.json $SIGNET keys generate`,
    );
    file = join(folder, 'a.json');
    expect([code, existsSync(join(folder, 'b.json')), stored()[0]?.alg]).toEqual([
      0,
      false,
      'ES256',
    ]);
  });
});

describe('many commands at the same time', () => {
  it('one creates the file, and each adds its key', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => keys('generate')));
    const [winner, ...others] = runs.filter(({ code }) => code === 0);
    expect(others).toEqual([]);
    expect(stored().map(({ kid }) => kid)).toEqual([
      /^kid +(\S+)$/m.exec(winner?.stdout ?? '')?.[1],
    ]);
    const kids = Array.from({ length: 8 }, (_, i) => `k${i}`);
    const added = await Promise.all(kids.map((kid) => keys('generate', '--add', '--kid', kid)));
    expect(added.map(({ code }) => code)).toEqual(kids.map(() => 0));
    const later = stored().slice(1);
    expect(new Set(later.map(({ kid }) => kid))).toEqual(new Set(kids));
    expect(later).toHaveLength(kids.length);
    expect(readdirSync(join(folder, 'keys'))).toEqual(['signing.jwks.json']);
  });

  it('one rotates, and the others see that nothing is due', async () => {
    await runSignet(['keys', 'generate'], { cwd: folder });
    const runs = await Promise.all(Array.from({ length: 6 }, () => keys('rotate')));
    expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 0));
    expect(runs.filter(({ stdout }) => stdout.startsWith('prepared'))).toHaveLength(1);
    expect(stored().map(({ signet: { state } = {} }) => state)).toEqual(['active', 'pending']);
  });
});

describe('a command that is killed while it writes', () => {
  /** `NODE_OPTIONS` with which a process ends by SIGKILL where it would go on with `name`. */
  const dieAt = (name: string): Record<string, string> => {
    const code = `
      import fs from 'node:fs/promises';
      import { syncBuiltinESMExports } from 'node:module';
      const die = () => process.kill(process.pid, 'SIGKILL');
      const { open } = fs;
      if ('${name}' === 'sync') fs.open = async (...args) => Object.assign(await open(...args), { sync: die });
      else fs['${name}'] = die;
      syncBuiltinESMExports();`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  };

  it.each(['open', 'sync', 'link'])('at %s leaves no file where there was none', async (name) => {
    expect((await start(['keys', 'generate'], dieAt(name)).result).code).toBeNull();
    expect(existsSync(file)).toBe(false);
    expect(await keys('generate')).toMatchObject({ code: 0 });
    expect(stored()).toHaveLength(1);
  });

  it.each(['open', 'sync', 'rename'])('at %s leaves the file as it was', async (name) => {
    await runSignet(['keys', 'generate'], { cwd: folder });
    const before = readFileSync(file);
    const killed = await start(['keys', 'generate', '--add'], dieAt(name)).result;
    expect([killed.code, readFileSync(file).equals(before)]).toEqual([null, true]);
    // What it leaves behind nobody else can read.
    for (const left of readdirSync(join(folder, 'keys')))
      expect(statSync(join(folder, 'keys', left)).mode & 0o777).toBe(0o600);
    // Its lock is taken over once it is old.
    utimesSync(`${file}.lock`, 0, 0);
    expect(await keys('generate', '--add')).toMatchObject({ code: 0 });
    expect(stored()).toHaveLength(2);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });
});

describe('what a command loads', () => {
  /** Package or `signet` of each module that a command loads. */
  const modulesOf = async (args: string[]): Promise<string[]> => {
    const { child, result } = start(args, {
      NODE_OPTIONS: `--import=${resolve('test/helpers/gateway/count-modules.mjs')}`,
      SIGNET_COUNTS: folder,
    });
    expect(await result).toMatchObject({ code: 0 });
    const { modules } = JSON.parse(readFileSync(join(folder, `${child.pid}.json`), 'utf8')) as {
      modules: string[];
    };
    return modules.map(
      (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? 'signet',
    );
  };

  // class-validator is for the names and defaults of the variables: its three files, not its entry.
  const allowed = new Set(['signet', 'commander', 'class-validator']);

  it.each([
    [['--version']],
    [['--help']],
    [['keys', 'generate', '--add']],
    [['keys', 'list']],
    [['keys', 'check']],
    [['keys', 'rotate', '--alg', 'HS256']],
  ])('%j: no framework, and fewer than 150 modules', async (args) => {
    await runSignet(['keys', 'generate'], { cwd: folder });
    const modules = await modulesOf(args);
    expect(modules.filter((name) => !allowed.has(name))).toEqual([]);
    expect(modules.length).toBeGreaterThan(40);
    expect(modules.length).toBeLessThan(150);
  });
});
