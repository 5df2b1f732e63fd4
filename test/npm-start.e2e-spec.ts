import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './helpers/run/free-port.js';
import { isAlive, workersOf } from './helpers/gateway/processes.js';
import { copyProject, shellEnvironment, type ProjectCopy } from './helpers/gateway/project.js';

let project: ProjectCopy;
beforeAll(async () => {
  project = copyProject();
  const keys = ['run', 'keys', '--', 'generate', '--alg', 'ES256', '--kid', 'key-1'];
  await promisify(execFile)('npm', keys, { cwd: project.directory, env: shellEnvironment() });
});
afterAll(() => project?.remove());

/** npm as a job in the background of a shell: with a process group of its own. */
interface Npm {
  process: ChildProcess;
  pid: number;
  port: number;
  /** npm's descendants once the gateway listens. */
  processes: number[];
  output: () => string;
}
let npm: Npm | undefined;
afterEach(() => {
  if (npm !== undefined)
    for (const pid of [npm.pid, ...npm.processes].filter(isAlive)) process.kill(pid, 'SIGKILL');
  npm = undefined;
});

async function start(script: string, env: Record<string, string> = {}): Promise<Npm> {
  const port = await freePort();
  const child = spawn('npm', ['run', script], {
    cwd: project.directory,
    env: shellEnvironment({
      PORT: String(port),
      HOST: '127.0.0.1',
      MANAGEMENT_PORT: '0',
      LOG_FORMAT: 'json',
      SIGNER_ALG: 'ES256',
      SIGNER_KID: 'key-1',
      PUBLIC_URL: 'https://gateway.example',
      VALIDATOR_AUDIENCE: 'https://api.example',
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const { pid = 0 } = child;
  npm = { process: child, pid, port, processes: [], output: () => output };
  await expect
    .poll(() => child.exitCode ?? output, { timeout: 50_000 })
    .toContain(`Listening on http://127.0.0.1:${port}`);
  npm.processes = descendantsOf(pid);
  return npm;
}
const descendantsOf = (pid: number): number[] =>
  workersOf(pid).flatMap((child) => [child].concat(descendantsOf(child)));

describe('a gateway that npm started', () => {
  it.each([
    ['start', 'npm', 'SIGTERM', {}],
    ['start', 'the process group, as Ctrl-C does', 'SIGINT', {}],
    ['start:prod', 'npm', 'SIGTERM', { WORKERS: '1' }],
    ['start:prod', 'npm', 'SIGTERM', { WORKERS: '2' }],
  ] as const)(
    'by "%s" ends in order after a signal to %s (%s, %o)',
    async (script, to, signal, env) => {
      const backend = createServer((_request, response) => {
        const answer = { access_token: { sub: '42', exp: Math.ceil(Date.now() / 1000) + 60 } };
        // Later than the signal.
        void once(backend, 'signal').then(() => response.end(JSON.stringify(answer)));
        response.setHeader('content-type', 'application/json');
        backend.emit('asked');
      }).listen(0, '127.0.0.1');
      await once(backend, 'listening');
      const { port } = backend.address() as { port: number };
      const running = await start(script, {
        BACKEND_HOST: `http://127.0.0.1:${port}`,
        SHUTDOWN_DELAY_MS: '1000',
        ...env,
      });
      const asked = once(backend, 'asked');
      const answer = fetch(`http://127.0.0.1:${running.port}/token`, { method: 'POST' });
      await asked;

      process.kill(to === 'npm' ? running.pid : -running.pid, signal);
      await expect.poll(running.output).toContain(`${signal}: shutting down`);
      backend.emit('signal');
      expect((await answer).status).toBe(200);

      if (running.process.exitCode === null) await once(running.process, 'exit');
      expect(running.process.exitCode).toBe(0);
      await expect.poll(() => running.processes.filter(isAlive)).toEqual([]);
      await listenOn(running.port);
      backend.close();
    },
  );
});

/** Rejects when somebody has the port. */
async function listenOn(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
}
