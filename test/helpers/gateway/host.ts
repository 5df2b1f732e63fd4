import { fork, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { gatewayEnvironment, gatewayOf, assertNoSecrets, type Gateway } from './gateway.js';
import { afterFile, isRunning, kill, tempFolder } from '../run/resources.js';

/*
 * The built gateway without a process of its own: gateways are booted one after the other in one host
 * process, which the test files of a worker share. `startGateway` is for what only a process has: an exit
 * code, signals, workers, NODE_OPTIONS, a second gateway beside it.
 */

/** A gateway whose wall clock the test sets. */
export interface HostedGateway extends Gateway {
  /** Sets its clock so many seconds ahead, in addition to what was set before. */
  advanceClock(seconds: number): Promise<void>;
}

/** A boot that was refused. */
export interface Refusal {
  /** Why: what is written to stderr after `signet: `, line by line. */
  lines: string[];
  /** Everything that was written, log included. */
  output: string;
}

/** Ends the output of a gateway, on stdout and on stderr. */
const END = '\u0004\n';

/** What the gateway wrote that is booted or was booted last. */
interface Recording {
  stdout: string;
  stderr: string;
  changed: () => void;
}

const upToEnd = (text: string): string => text.split(END, 1)[0] ?? '';
const outputOf = ({ stdout, stderr }: Recording): string => upToEnd(stdout) + upToEnd(stderr);
const isComplete = ({ stdout, stderr }: Recording): boolean =>
  stdout.includes(END) && stderr.includes(END);

let child: ChildProcess | undefined;
let recording: Recording;
let running = false;
/** The host has not answered a command, or has failed at it: the next gateway gets another host. */
let waiting = false;
/** A boot was refused: what was made of it before is still there, and does no good to other test files. */
let worn = false;

/**
 * Starts a gateway in the host; the one before is stopped, if it was not.
 *
 * @param cwd default: a fresh folder
 */
export async function hostGateway(
  env: Record<string, string> = {},
  cwd = tempFolder('cwd'),
): Promise<HostedGateway> {
  const url = await boot(env, cwd);
  const own = recording;
  if (url === undefined) throw new Error(`the gateway did not boot:\n${outputOf(own)}`);
  // The log is written in batches.
  await written(() => own.stdout.includes('Listening on'));
  let offset = 0;
  return {
    ...gatewayOf(url, cwd, () => outputOf(own)),
    advanceClock: async (seconds) => {
      offset += seconds * 1000;
      await send('setClock', { offset });
    },
    stop: async () => {
      if (own === recording) await stop();
    },
  };
}

/** Boots in the host in the expectation that it is refused. */
export async function refuseInHost(
  env: Record<string, string>,
  cwd = tempFolder('cwd'),
): Promise<Refusal> {
  // What was made of it before the refusal is still there in the host, but does nothing any more.
  const url = await boot({ KEY_RELOAD_INTERVAL_MS: '0', ...env }, cwd);
  const output = outputOf(recording);
  if (url !== undefined) throw new Error(`the gateway booted:\n${output}`);
  const lines = output.split('\n').filter((line) => line.startsWith('signet: '));
  return { lines: lines.map((line) => line.slice('signet: '.length)), output };
}

/** @returns the URL, or `undefined` when the boot was refused */
async function boot(env: Record<string, string>, cwd: string): Promise<string | undefined> {
  if (child === undefined || !isRunning(child) || waiting) await startHost();
  await stop();
  afterFile(leave);
  recording = { stdout: '', stderr: '', changed: () => undefined };
  // A relative path would be another one after the next boot.
  const STATE_STORE = `sqlite:${cwd}/data/signet.db`;
  const url = await send('boot', { env: gatewayEnvironment({ STATE_STORE, ...env }, cwd), cwd });
  running = url !== undefined;
  worn ||= !running;
  if (!running) await ended();
  return url;
}

async function leave(): Promise<void> {
  await stop();
  if (worn && child !== undefined) await kill(child);
}

async function stop(): Promise<void> {
  if (!running || waiting) return;
  running = false;
  await send('stop');
  await ended();
}

async function ended(): Promise<void> {
  await written(() => isComplete(recording));
  assertNoSecrets(outputOf(recording));
}

/** Waits until the output is as expected. */
async function written(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((changed) => (recording.changed = changed));
}

async function startHost(): Promise<void> {
  if (child !== undefined) await kill(child);
  running = waiting = worn = false;
  const host = fork(resolve('test/helpers/gateway/host-process.mjs'), {
    stdio: 'pipe',
    execArgv: [],
  });
  child = host;
  recording = { stdout: '', stderr: '', changed: () => undefined };
  for (const stream of ['stdout', 'stderr'] as const)
    host[stream]?.setEncoding('utf8').on('data', (text: string) => {
      recording[stream] += text;
      recording.changed();
    });
  await answer();
}

async function send(command: string, argument: object = {}): Promise<string | undefined> {
  const answered = answer();
  child?.send({ command, ...argument });
  waiting = true;
  const result = await answered;
  waiting = false;
  return result;
}

/** The next message of the host. */
function answer(): Promise<string | undefined> {
  return new Promise((found, fail) => {
    const onExit = (code: number | null): void =>
      fail(new Error(`the host exited with ${code}:\n${outputOf(recording)}`));
    child?.once('exit', onExit);
    child?.once('message', ({ result, error }: { result?: string; error?: string }) => {
      child?.off('exit', onExit);
      if (error === undefined) found(result);
      else fail(new Error(error));
    });
  });
}
