import { readdirSync, readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSignet, type CommandResult } from '../../test/helpers/gateway/cli.js';

let cwd = '';
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'signet-run-'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

const run = (...argv: string[]): Promise<CommandResult> => runSignet(argv, { cwd });

describe('run', () => {
  it('shows help on standard output when it is asked for, else on the other', async () => {
    for (const argv of [
      ['--help'],
      ['keys', '-h'],
      ['keys', 'rotate', '--help'],
      ['help', 'keys'],
    ]) {
      const { code, stdout, stderr } = await run(...argv);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^Usage: signet /);
    }
    for (const argv of [[], ['keys']]) {
      const { code, stdout, stderr } = await run(...argv);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^Usage: signet /);
    }
  });

  it('has the commands that the README names, and no others', async () => {
    const { stdout } = await run('--help');
    const [, list = ''] = stdout.split('Commands:');
    const commands = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
    const [, named = ''] = /all commands: (.*?) *\|/.exec(readFileSync('README.md', 'utf8')) ?? [];
    expect(commands.length).toBeGreaterThan(5);
    expect(new Set([...named.matchAll(/`(\w+)`/g)].map(([, name]) => name))).toEqual(
      new Set(commands.filter((name) => name !== 'help')),
    );
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    for (const flag of ['--version', '-V'])
      expect(await run(flag)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('suggests the command or the option that was meant', async () => {
    expect(await run('keys', 'rotaet')).toEqual({
      code: 1,
      stdout: '',
      stderr: "signet: unknown command 'rotaet' (Did you mean rotate?)\n",
    });
    expect((await run('explain', 'a.b.c', '--roel', 'x')).stderr).toBe(
      "signet: unknown option '--roel' (Did you mean --role?)\n",
    );
    expect((await run('rotate')).stderr).toBe(
      "signet: unknown command 'rotate' (Did you mean signet keys rotate?)\n",
    );
    expect((await run('keys', 'generate', '--alg', 'es265')).stderr).toMatch(
      / Did you mean ES256\?\n$/,
    );
  });

  it('shows help in colours on a terminal, and the same text without them elsewhere', async () => {
    const { run: command } = await import('./run.js');
    const shown = async (isTTY: boolean): Promise<string> => {
      const stdout = { text: '', isTTY, write: (text: string) => (stdout.text += text) };
      const io = { stdin: (async function* () {})(), stdout, stderr: stdout, cwd };
      await command(['keys', '--help'], { TERM: 'xterm-256color' }, io);
      return stdout.text;
    };
    const [plain, colored] = [await shown(false), await shown(true)];
    expect(colored).toContain('\u001b[1mCommands:\u001b[22m');
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it('ends with code 1 when its output fails, instead of rejecting', async () => {
    const { run: command } = await import('./run.js');
    const broken = {
      write: () => {
        throw new Error('no output');
      },
    };
    const stderr = { text: '', write: (text: string) => (stderr.text += text) };
    const io = { stdin: (async function* () {})(), stdout: broken, stderr, cwd };
    expect(await command(['--version'], {}, io)).toBe(1);
    expect(stderr.text).toBe('signet: unexpected error (Error)\n');
  });
});

it('nothing in cli/ asks the process for what run() is given', () => {
  const files = readdirSync('src/cli', { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts') && name !== 'main.ts',
  );
  expect(files.length).toBeGreaterThan(40);
  const offenders = files.filter((name) =>
    /\bprocess\.(?!platform\b|getBuiltinModule\b)\w|node:process|\bconsole\./.test(
      readFileSync(join('src/cli', name), 'utf8'),
    ),
  );
  expect(offenders).toEqual([]);
});
