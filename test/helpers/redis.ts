import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from './free-port.js';
import { REDIS_MISSING } from './programs.js';
import { kill, tempFolder, track } from './resources.js';

/** A Redis server of the test's own, on a free port, in a directory of its own. */
export interface RedisServer {
  /** `redis://127.0.0.1:<port>`; with the password where there is one. */
  url: string;
  port: number;
  process(): ChildProcess;
  /** Ends it at once, whatever it is doing. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it has saved. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Sends a command without arguments, e.g. `FLUSHALL`, and waits for the answer. */
  command(name: string): Promise<void>;
}

export { withoutRedis } from './programs.js';

/** @param options further arguments of `redis-server` */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const directory = tempFolder('redis');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const settings = ['--save', '', '--daemonize', 'no', ...options];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = track(
      spawn('redis-server', [...args, ...settings], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(REDIS_MISSING, { cause: error });
    });
    await Promise.race([failed, answers(port)]);
  };
  const end = (): Promise<void> => kill(child);
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    process: () => child,
    kill: end,
    start,
    stop: end,
    command: async (name) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(`${name}\r\n`));
      await once(socket, 'data');
      socket.destroy();
    },
  };
}

/** Resolves once the server has read its data and answers, if only to ask for a password. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(data.toString()));
      socket.once('error', () => resolve(''));
    });
    socket.destroy();
    if (/PONG|NOAUTH/.test(answer)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
