import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createClient } from 'redis';
import { freePort } from '../run/free-port.js';
import { REDIS_MISSING, VALKEY_MISSING } from '../run/programs.js';
import { afterFile, kill, tempFolder, track } from '../run/resources.js';

/** A server of the test's own, on a free port, in a directory of its own. */
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

export { withoutRedis, withoutValkey } from '../run/programs.js';

/** @param options further arguments of `redis-server` */
export const startRedis = (...options: string[]): Promise<RedisServer> =>
  startServer('redis-server', options);

/** @param options further arguments of `valkey-server`, which are those of `redis-server` */
export const startValkey = (...options: string[]): Promise<RedisServer> =>
  startServer('valkey-server', options);

async function startServer(
  program: 'redis-server' | 'valkey-server',
  options: readonly string[],
): Promise<RedisServer> {
  const directory = tempFolder('redis');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const settings = ['--save', '', '--daemonize', 'no', ...options];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = track(
      spawn(program, [...args, ...settings], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(program === 'redis-server' ? REDIS_MISSING : VALKEY_MISSING, {
        cause: error,
      });
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
    command: (...words) => redisCommand(port, ...words),
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

/** A primary, its replicas, and the Sentinels that watch them. */
export interface SentinelGroup {
  url: string;
  servers: readonly RedisServer[];
  /** The server that the Sentinels name. */
  primary(): Promise<RedisServer | undefined>;
  /** Makes a Sentinel promote a replica while the primary is well; rejects while the last failover is not over. */
  failOver(): Promise<unknown>;
  /** Runs a command at each of the Sentinels. */
  tell(...command: string[]): Promise<void>;
  /** Resolves once the Sentinels name a primary with two replicas that have what it has. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

export const SENTINEL_SERVICE = 'main';

/** Files of PEM: who is trusted, and the certificate of a server. */
export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A server, and the port at which replicas, Sentinels and gateways find it. */
async function startMember(
  tls: ServerTls | undefined,
  ...options: string[]
): Promise<{ server: RedisServer; port: number }> {
  if (tls === undefined) {
    const server = await startRedis(...options);
    return { server, port: server.port };
  }
  const port = await freePort();
  const settings = tlsSettings(tls, port).flatMap(([name, value]) => [`--${name}`, value]);
  return { server: await startRedis(...settings, ...options), port };
}

const tlsSettings = ({ ca, cert, key }: ServerTls, port: number): [string, string][] => [
  ['tls-port', String(port)],
  ['tls-ca-cert-file', ca],
  ['tls-cert-file', cert],
  ['tls-key-file', key],
  ['tls-auth-clients', 'yes'],
  ['tls-replication', 'yes'],
];

/** How {@link startSentinels} starts its servers. */
export interface SentinelOptions {
  /** How all of them are reached, but for the commands of the test. */
  readonly tls?: ServerTls;
  /** Further lines for the Sentinels. */
  readonly lines?: readonly string[];
  /** Further arguments of the servers. */
  readonly options?: readonly string[];
}

/** One primary with two replicas, and three Sentinels that take a server for dead after a second. */
export async function startSentinels({
  tls,
  lines: settings = [],
  options = [],
}: SentinelOptions = {}): Promise<SentinelGroup> {
  const primary = await startMember(tls, ...options);
  const replicas = await Promise.all(
    [1, 2].map(() => startMember(tls, '--replicaof', `127.0.0.1 ${primary.port}`, ...options)),
  );
  const members = [primary, ...replicas];
  const servers = members.map(({ server }) => server);
  const sentinels = await Promise.all(
    [1, 2, 3].map(async () => {
      const port = await freePort();
      const lines = tls === undefined ? [] : tlsSettings(tls, port).map((line) => line.join(' '));
      const sentinel = await startSentinel(primary.port, ...lines, ...settings);
      return Object.assign(sentinel, { reached: tls === undefined ? sentinel.port : port });
    }),
  );
  const named = async (port: number): Promise<number> => {
    const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', SENTINEL_SERVICE];
    return Number(((await redisCommand(port, ...command)) as string[])[1]);
  };
  const info = (port: number): Promise<unknown> =>
    redisCommand(port, 'SENTINEL', 'MASTER', SENTINEL_SERVICE);
  for (const { port } of sentinels)
    await until(async () => {
      const list = ((await info(port)) as string[]).map(String);
      const value = (name: string): string | undefined => list[list.indexOf(name) + 1];
      return value('num-slaves') === '2' && value('num-other-sentinels') === '2';
    });
  const anySentinel = sentinels[0]?.port ?? NaN;
  const namedPrimary = async (): Promise<RedisServer | undefined> => {
    const port = await named(anySentinel);
    return members.find((member) => member.port === port)?.server;
  };
  return {
    url: `${tls === undefined ? 'redis' : 'rediss'}+sentinel://${sentinels.map(({ reached }) => `127.0.0.1:${reached}`).join(',')}/${SENTINEL_SERVICE}`,
    servers,
    primary: namedPrimary,
    failOver: () => redisCommand(anySentinel, 'SENTINEL', 'FAILOVER', SENTINEL_SERVICE),
    tell: async (...command) => {
      for (const { port } of sentinels) await redisCommand(port, ...command);
    },
    whole: () =>
      until(async () => {
        const text = String(await (await namedPrimary())?.command('INFO', 'replication'));
        return /role:master/.test(text) && text.match(/state=online/g)?.length === 2;
      }),
    stop: async () => {
      await Promise.all(sentinels.map(({ child }) => kill(child)));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** A Sentinel that knows one primary. */
export async function startSentinel(
  primary: number,
  ...settings: string[]
): Promise<{ port: number; child: ChildProcess }> {
  const folder = tempFolder('sentinel');
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${SENTINEL_SERVICE} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${SENTINEL_SERVICE} 1000`,
    `sentinel failover-timeout ${SENTINEL_SERVICE} 5000`,
    ...settings,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const args = [file, '--sentinel'];
  const child = track(spawn('redis-server', args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  await answers(port);
  return { port, child };
}

/** A Redis Cluster of three primaries, with a replica each. */
export interface RedisCluster {
  url: string;
  primaries: readonly RedisServer[];
  replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

export async function startCluster(): Promise<RedisCluster> {
  const node = (): Promise<RedisServer> =>
    startRedis('--cluster-enabled', 'yes', '--cluster-node-timeout', '1000');
  const primaries = await Promise.all([node(), node(), node()] as const);
  const replicas = await Promise.all([node(), node(), node()]);
  const all = [...primaries, ...replicas];
  const [first] = primaries;
  const ranges = ['0 5460', '5461 10922', '10923 16383'];
  for (const [index, server] of primaries.entries())
    await server.command('CLUSTER', 'ADDSLOTSRANGE', ...(ranges[index] as string).split(' '));
  for (const server of all.slice(1))
    await server.command('CLUSTER', 'MEET', '127.0.0.1', String(first.port));
  const knows = async (server: RedisServer, pattern: RegExp): Promise<boolean> =>
    pattern.test(String(await server.command('CLUSTER', 'INFO')));
  for (const server of all) await until(() => knows(server, /cluster_known_nodes:6/));
  for (const [index, server] of replicas.entries()) {
    const id = String(await primaries[index]?.command('CLUSTER', 'MYID'));
    await until(async () => (await server.command('CLUSTER', 'REPLICATE', id)) === 'OK');
  }
  for (const server of all) await until(() => knows(server, /cluster_state:ok/));
  for (const server of replicas)
    await until(async () =>
      /master_link_status:up/.test(String(await server.command('INFO', 'replication'))),
    );
  return {
    url: `redis+cluster://${primaries.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    primaries,
    replicas,
    stop: async () => void (await Promise.all(all.map((server) => server.stop()))),
  };
}

/** Asks until the answer is yes; a failure counts as no. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask().catch(() => false))) await new Promise((next) => setTimeout(next, 50));
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
  while (!/PONG|NOAUTH/.test(await askOnce(port, 'PING')))
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The beginning of the answer to a command, on a connection of its own; empty where there is none. */
export async function askOnce(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('error', () => resolve(''));
    socket.once('close', () => resolve(''));
  });
  socket.destroy();
  return answer;
}
