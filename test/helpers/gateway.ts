import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The built gateway in a process of its own, as users run it. */
export interface Gateway {
  url: string;
  process: ChildProcess;
  /** The `/metrics` of the process. */
  metrics(): Promise<string>;
  /** Working directory, a fresh one unless given. */
  cwd: string;
  /** Everything the process wrote so far. */
  output(): string;
  /** The log as objects. */
  log(): Record<string, unknown>[];
  stop(): Promise<number | null>;
}

const MAIN = resolve('dist/main.js');

/** What no log may hold: members of private keys, PEM, tokens. Checked for every gateway of every test. */
const SECRETS = /"(?:k|d|p|q|dp|dq|qi)"\s*:|-----BEGIN|eyJ[\w-]{8,}\.[\w-]{8,}/;

function assertNoSecrets(output: string): void {
  if (SECRETS.test(output)) throw new Error('the log of a gateway holds a key or a token');
}

function launch(env: Record<string, string>, cwd?: string, wrapper: readonly string[] = []) {
  const directory = cwd ?? mkdtempSync(join(tmpdir(), 'signet-'));
  const { PATH = '', HOME = '' } = process.env;
  const [command, ...args] = [...wrapper, process.execPath, MAIN];
  const child = spawn(command, args, {
    cwd: directory,
    env: {
      PATH,
      HOME,
      PORT: '0',
      HOST: '127.0.0.1',
      MANAGEMENT_PORT: '0',
      LOG_FORMAT: 'json',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => written.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => written.push(text));
  return { child, directory, output: () => written.join('') };
}

/**
 * Starts `dist/main.js` on a free port and waits until it listens. Fails when it exits instead.
 *
 * @param wrapper a command that runs the rest of its arguments
 */
export async function startGateway(
  env: Record<string, string> = {},
  cwd?: string,
  wrapper?: readonly string[],
): Promise<Gateway> {
  const { child, directory, output } = launch(env, cwd, wrapper);
  const url = await new Promise<string>((found, fail) => {
    const look = (): void => {
      const match = /Listening on (http:\/\/[^"\s]+)/.exec(output());
      if (match?.[1] !== undefined) found(match[1]);
    };
    child.stdout.on('data', look);
    child.once('exit', (code) => fail(new Error(`the gateway exited with ${code}:\n${output()}`)));
  });
  return {
    url,
    process: child,
    cwd: directory,
    output,
    metrics: async () => {
      const address = /Metrics on (http:[^"\s]+)/.exec(output())?.[1] ?? '';
      return (await fetch(address)).text();
    },
    log: () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      if (cwd === undefined) rmSync(directory, { recursive: true, force: true });
      assertNoSecrets(output());
      return child.exitCode;
    },
  };
}

/** Runs `dist/main.js` in the expectation that it refuses to boot. */
export async function refuseToBoot(
  env: Record<string, string>,
  cwd?: string,
  wrapper?: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const { child, directory, output } = launch(env, cwd, wrapper);
  const timer = setTimeout(() => child.kill('SIGKILL'), 25_000);
  await once(child, 'close');
  clearTimeout(timer);
  if (cwd === undefined) rmSync(directory, { recursive: true, force: true });
  assertNoSecrets(output());
  return { code: child.exitCode, output: output() };
}
