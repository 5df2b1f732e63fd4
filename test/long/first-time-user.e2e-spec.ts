import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { figure } from '../helpers/run/figure.js';
import { freePort } from '../helpers/run/free-port.js';
import { bash, blocksOf, expectSession, writeBlock } from '../helpers/pages/manual.js';
import { shellEnvironment } from '../helpers/gateway/project.js';
import { isRunning, tempFolder, track } from '../helpers/run/resources.js';

/**
 * The way of a first-time user: clone, start, an own route that is protected, its token explained. The
 * commands are those of the README and of the tutorial, as they are printed. The time is that of the machine; no
 * one has to read or type here.
 */
const LIMIT_SECONDS = 300;

let running: ChildProcess | undefined;
/** Ends what was started, npm and the gateway, as Ctrl-C does. */
async function stop(): Promise<void> {
  const { pid } = running ?? {};
  if (running === undefined || pid === undefined || !isRunning(running)) return;
  const ended = new Promise((done) => running?.once('exit', done));
  process.kill(-pid, 'SIGINT');
  await ended;
}
/** Removed here: half a gigabyte takes longer than other files of tests. */
const folder = tempFolder('first-time');
afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
}, 300_000);

/** Runs a block that ends in a start, until the gateway listens. */
async function start(block: string, cwd: string, port: number): Promise<string> {
  let output = '';
  running = track(
    spawn('bash', ['-e', '-c', block], {
      cwd,
      env: shellEnvironment({ PORT: String(port), MANAGEMENT_PORT: '0' }),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const child = running;
  return new Promise((done, failed) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (/Listening on http/.test(output)) done(`http://localhost:${port}`);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => failed(new Error(`it ended:\n${output.slice(-3000)}`)));
  });
}

it(
  `from clone to an own route, protected, its token explained: at most ${LIMIT_SECONDS} s`,
  async () => {
    const directory = join(folder, 'signet');
    const began = performance.now();
    const times: string[] = [];
    const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const before = performance.now();
      const result = await work();
      times.push(`${name} ${((performance.now() - before) / 1000).toFixed(0)} s`);
      return result;
    };
    const port = await freePort();
    const [install, session] = blocksOf('README', '60 seconds', 'bash', 'bash');

    await step('clone', () => bash(`git clone --quiet '${resolve('.')}' '${directory}'`));
    expect(existsSync(join(directory, 'node_modules'))).toBe(false);
    const url = await step('install and start', () => start(install, directory, port));
    await step('60 seconds', () => expectSession(session, url));
    await stop();

    const [generate] = blocksOf('tutorial', 'Generate the module', 'bash');
    await step('own route', async () => {
      await bash(generate, {}, directory);
      writeBlock(blocksOf('tutorial', 'The service', 'ts')[0], directory);
      writeBlock(blocksOf('tutorial', 'The controller', 'ts')[0], directory);
      await start(blocksOf('tutorial', 'Start it', 'bash')[0], directory, port);
      await expectSession(blocksOf('tutorial', 'Try it', 'bash')[0], url);
    });
    await step('explain', () => expectSession(blocksOf('tutorial', 'Ask why', 'bash')[0], url));

    const seconds = (performance.now() - began) / 1000;
    const line = `first-time user: ${seconds.toFixed(0)} s (${times.join(', ')})`;
    figure(line);
    process.stdout.write(`${line}\n`);
    await stop();
    expect(seconds).toBeLessThan(LIMIT_SECONDS);
  },
  2 * LIMIT_SECONDS * 1000,
);
