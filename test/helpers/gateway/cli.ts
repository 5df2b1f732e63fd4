import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import { run } from '../../../src/cli/index.js';

/** The command as users run it. */
export const CLI = resolve('dist/cli/main.js');

/** What a command did. */
export interface CommandResult {
  /** `null` when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where a command runs, with what. */
export interface CommandSetting {
  cwd: string;
  /** All there is: nothing of our own environment. */
  env?: Readonly<Record<string, string>>;
  /** Standard input. */
  input?: string;
}

/** `signet …` in this process: no start, no build. */
export async function runSignet(
  args: readonly string[],
  { cwd, env = {}, input = '' }: CommandSetting,
): Promise<CommandResult> {
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  result.code = await run(args, env, {
    cwd,
    stdin: Readable.from([Buffer.from(input)]),
    stdout: { write: (text) => (result.stdout += text) },
    stderr: { write: (text) => (result.stderr += text) },
  });
  return result;
}

/** What a command prints that succeeds. */
export function outputOf({ code, stdout, stderr }: CommandResult): string {
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** The message of a command that is refused: one line, exit code 1 and nothing on standard output. */
export function refusalOf({ code, stdout, stderr }: CommandResult): string {
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^signet: .+\n$/) as string,
  });
  return stderr;
}

/** A command in a process of its own. */
export interface CommandProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** Once it has ended and all of its output is there. */
  readonly result: Promise<CommandResult>;
}

/** The built command in a process of its own, for what only a process can show. */
export function startSignet(
  args: readonly string[],
  { cwd, env = {}, input = '' }: CommandSetting,
): CommandProcess {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { PATH, ...env } });
  const result: CommandResult = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (result.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (result.stderr += text));
  // A command that reads no input may have ended before it is written.
  child.stdin.on('error', () => undefined).end(input);
  const ended = once(child, 'close').then(([code]) => ({ ...result, code: code as number | null }));
  return { child, result: ended };
}
