import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createClient } from 'redis';
import { freePort } from './free-port.js';
import { REDIS_MISSING } from './programs.js';
import { afterFile, kill, tempFolder, track } from './resources.js';

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
  /** Runs a command, e.g. `command('CONFIG', 'SET', 'maxmemory', '1')`. */
  command(...args: string[]): Promise<unknown>;
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
    command: (...args) => redisCommand(port, ...args),
  };
}

/** Runs a command at a server on this machine. */
export async function redisCommand(port: number, ...args: string[]): Promise<unknown> {
  const client = createClient({ RESP: 2, socket: { host: '127.0.0.1', port } });
  await client.connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}

/** What stands between a gateway and its Redis: a name behind which another server can take over. */
export interface Relay {
  port: number;
  /** New connections lead there; those that exist stay where they are. */
  to(port: number): void;
  /** The connections that exist stay open, and carry nothing any more. */
  silence(): void;
  /** Ends the connections that exist. */
  cut(): void;
}

export async function startRelay(port: number): Promise<Relay> {
  let target = port;
  const sockets = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => {
        if (!silent.has(from)) into.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        into.destroy();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  afterFile(async () => {
    server.close();
    cut();
  });
  return {
    port: (server.address() as AddressInfo).port,
    to: (next) => void (target = next),
    silence: () => sockets.forEach((socket) => silent.add(socket)),
    cut,
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
