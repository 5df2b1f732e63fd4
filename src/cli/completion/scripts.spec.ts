import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSignet } from '../../../test/helpers/gateway/cli.js';
import { withoutShells } from '../../../test/helpers/run/programs.js';

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-completion-'));
  mkdirSync(join(folder, 'folder one'));
  writeFileSync(join(folder, "it's a.json"), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await runSignet(['completion', shell], { cwd: folder });
    writeFileSync(join(folder, `script.${shell}`), stdout);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What stands behind `signet`; the last word is the one that is completed. */
type Words = readonly string[];
const literal = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

async function output(shell: string, args: readonly string[], script: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    shell,
    [...args.slice(0, 1), '-c', script, ...args.slice(1)],
    {
      cwd: folder,
    },
  );
  return stdout.split('\n').filter((line) => line !== '');
}

/** What each shell offers. */
const SHELLS: Readonly<Record<string, (...words: Words) => Promise<string[]>>> = {
  bash: (...words) =>
    output(
      'bash',
      ['--norc'],
      `source script.bash
       COMP_WORDS=(signet ${words.map(literal).join(' ')}); COMP_CWORD=${words.length}
       _signet; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ),
  // Its completion system works at a prompt only. Here the functions that the script calls print what they get.
  zsh: async (...words) => {
    const offered = await output(
      'zsh',
      ['-f'],
      `compdef() { registered=$2 }; _message() { };
       compset() { current=\${current#*=} }
       compadd() { shift; print -l -- "$@" }
       _files() { print -l -- *(\${1:+/}) }
       _describe() { print -l -- \${(P)@[-1]%%:*} }
       source ./script.zsh
       [[ $registered == signet ]] || exit 1
       words=(signet ${words.map(literal).join(' ')}); CURRENT=${words.length + 1}; current=$words[CURRENT]
       _signet; print -r -- "current $current"`,
    );
    // The shell itself leaves out what does not begin with what is typed.
    const current = offered.pop()?.replace(/^current /, '') ?? '';
    return offered.filter((word) => word.startsWith(current));
  },
  fish: async (...words) => {
    const line = ['signet', ...words].map((word) => word.replaceAll(/[ ']/g, '\\$&')).join(' ');
    const offered = await output(
      'fish',
      ['--no-config', line],
      'source script.fish; complete -C $argv[1]',
    );
    return offered.map((entry) => entry.replace(/\t.*/, ''));
  },
};
const NAMES = ['bash', 'zsh', 'fish'].filter((name) => name === 'bash' || !withoutShells);

describe.each(NAMES)('the completion of %s', (name) => {
  const complete = SHELLS[name] as (typeof SHELLS)[string];

  it('is a script that the shell reads without a word', () => {
    const { status, stderr, stdout } = spawnSync(name, ['-n', `script.${name}`], { cwd: folder });
    expect([status, String(stderr), String(stdout)]).toEqual([0, '', '']);
  });

  it.each([
    [['ke'], ['keys']],
    [
      ['keys', 'r'],
      ['rotate', 'retire'],
    ],
    [['keys', 'generate', '--al'], ['--alg']],
    [
      ['keys', 'generate', '--alg', 'ES'],
      ['ES256', 'ES384', 'ES512'],
    ],
    [['keys', 'generate', '--add', '--state', 'p'], ['pending']],
    [
      ['clients', 'add', '--method', 'c'],
      ['client_secret_basic', 'client_secret_post'],
    ],
    [['import', "it's"], ["it's a.json"]],
    [['keys', 'list', '--file', "it's"], ["it's a.json"]],
    [['import', '--out', 'f'], ['folder one']],
    [['completion', 'b'], ['bash']],
    // Nothing that would fit.
    [['serve', 'k'], []],
    [['keys', 'list', 'g'], []],
    [['keys', 'generate', '--kid', ''], []],
  ])('%j', async (words, offered) => {
    const found = await complete(...words);
    // Fish writes a folder with a slash behind it.
    expect(new Set(found.map((word) => word.replace(/\/$/, '')))).toEqual(new Set(offered));
  });

  it('completes a value behind a sign', async () => {
    // Bash hands the sign over as a word of its own; fish offers the whole word.
    const words = name === 'bash' ? ['--alg', '=', 'EdD'] : ['--alg=EdD'];
    const offered = await complete('keys', 'generate', ...words);
    expect(offered.map((word) => word.replace('--alg=', ''))).toEqual(['EdDSA']);
  });

  it('knows all that help shows', async () => {
    const { stdout } = await runSignet(['keys', '--help'], { cwd: folder });
    const listed = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)];
    expect(listed.length).toBeGreaterThan(9);
    const offered = await complete('keys', '');
    for (const [, command] of listed) expect(offered).toContain(command);
  });
});

it('of another shell is refused', async () => {
  expect(await runSignet(['completion', 'fihs'], { cwd: folder })).toEqual({
    code: 1,
    stdout: '',
    stderr:
      "signet: command-argument value is invalid for argument 'shell'. Allowed choices are bash, zsh, fish. Did you mean fish?\n",
  });
});
