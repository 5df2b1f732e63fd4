import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { AUDIENCE, ISSUER } from '../issuers/issuer.js';
import { isRunning, kill, tempFolder, track } from '../run/resources.js';

/** A running gateway. */
export interface Gateway {
  url: string;
  /** The URL of its management listener. */
  readonly management: string;
  /** The text of its `/metrics`. */
  metrics(): Promise<string>;
  /** Working directory. */
  cwd: string;
  /** Everything it wrote so far. */
  output(): string;
  /** The log as objects. */
  log(): Record<string, unknown>[];
  /** Ends it as SIGTERM does, and fails when its output holds a secret. */
  stop(): Promise<unknown>;
}

/** The built gateway in a process of its own, as users run it. */
export interface GatewayProcess extends Gateway {
  process: ChildProcess;
  /** @returns the exit code */
  stop(): Promise<number | null>;
}

const MAIN = resolve('dist/main.js');

/** What no log may hold: members of private keys, PEM, tokens. Checked for every gateway of every test. */
const SECRETS = /"(?:k|d|p|q|dp|dq|qi)"\s*:|-----BEGIN|eyJ[\w-]{8,}\.[\w-]{8,}/;

/** @throws when a log holds a key or a token */
export function assertNoSecrets(output: string): void {
  if (SECRETS.test(output)) throw new Error('the log of a gateway holds a key or a token');
}

/**
 * The whole environment of a gateway: free ports, a log that can be read, an end without delay, the issuer
 * and the audience of the tests where `.env` names none, and `env`, in which an empty value gives a
 * variable its default.
 */
export function gatewayEnvironment(
  env: Record<string, string>,
  cwd: string,
): Record<string, string> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR: tmpdir(),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
    PORT: '0',
    HOST: '127.0.0.1',
    MANAGEMENT_PORT: '0',
    SHUTDOWN_DELAY_MS: '0',
    LOG_FORMAT: 'json',
    ...without({ SIGNER_ISSUER: ISSUER, VALIDATOR_AUDIENCE: AUDIENCE }, dotEnv(cwd)),
    ...env,
  };
}

/** What a `.env` file sets; the environment would win over it. */
const dotEnv = (cwd: string): object => {
  const file = join(cwd, '.env');
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
};

const without = (variables: Record<string, string>, others: object): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !Object.hasOwn(others, name)));

/** What a gateway says of itself, once it listens. */
export function gatewayOf(
  url: string,
  cwd: string,
  output: () => string,
): Pick<Gateway, 'url' | 'cwd' | 'output' | 'log' | 'management' | 'metrics'> {
  const management = /Metrics on (http:[^"\s]+)\/metrics/.exec(output())?.[1] ?? '';
  return {
    url,
    cwd,
    output,
    management,
    metrics: async () => (await fetch(`${management}/metrics`)).text(),
    log: () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

function launch(env: Record<string, string>, cwd: string, wrapper: readonly string[]) {
  const [command, ...args] = [...wrapper, process.execPath, MAIN];
  const child = track(
    spawn(command, args, {
      cwd,
      env: gatewayEnvironment(env, cwd),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const written: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => written.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => written.push(text));
  return { child, output: () => written.join('') };
}

/**
 * Starts `dist/main.js` on a free port and waits until it listens. Fails when it exits instead.
 *
 * @param cwd default: a fresh folder
 * @param wrapper a command that runs the rest of its arguments
 */
export async function startGateway(
  env: Record<string, string> = {},
  cwd = tempFolder('cwd'),
  wrapper: readonly string[] = [],
): Promise<GatewayProcess> {
  const { child, output } = launch(env, cwd, wrapper);
  const url = await new Promise<string>((found, fail) => {
    child.stdout.on('data', () => {
      const match = /Listening on (http:\/\/[^"\s]+)/.exec(output());
      if (match?.[1] !== undefined) found(match[1]);
    });
    child.once('exit', (code) => fail(new Error(`the gateway exited with ${code}:\n${output()}`)));
  });
  return {
    ...gatewayOf(url, cwd, output),
    process: child,
    stop: async () => {
      await kill(child, 'SIGTERM');
      assertNoSecrets(output());
      return child.exitCode;
    },
  };
}

/** Runs `dist/main.js` in the expectation that it refuses to boot. */
export async function refuseToBoot(
  env: Record<string, string>,
  cwd = tempFolder('cwd'),
  wrapper: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const { child, output } = launch(env, cwd, wrapper);
  const timer = setTimeout(() => child.kill('SIGKILL'), 25_000);
  await once(child, 'close');
  clearTimeout(timer);
  assertNoSecrets(output());
  return { code: child.exitCode, output: output() };
}

/** The exit code of a gateway that ends, or has ended. */
export const exitOf = async ({ process: child }: GatewayProcess): Promise<number | null> => {
  if (isRunning(child)) await once(child, 'exit');
  return child.exitCode;
};
