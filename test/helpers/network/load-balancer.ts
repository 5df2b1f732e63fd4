import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../run/free-port.js';
import { blocksOf } from '../pages/manual.js';
import { askOnce } from '../stores/redis.js';
import { kill, tempFolder, track } from '../run/resources.js';

/** A balancer in front of gateways, with the settings that docs/production.md prints. */
export interface LoadBalancer {
  url: string;
  /** What it complained of. */
  output(): string;
  stop(): Promise<void>;
}

/** What the settings of the manual call the gateways. */
const ADDRESSES = ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080'];
const LISTEN = '*:80';

/**
 * Puts addresses of this machine in the place of those that the manual prints.
 *
 * @param ports by the printed address
 */
function onThisMachine(
  printed: string,
  ports: readonly (readonly [address: string, port: number | undefined])[],
): string {
  let text = printed;
  for (const [address, port] of ports) {
    if (!text.includes(address)) throw new Error(`the settings of the manual lack ${address}`);
    text = text.replace(address, `127.0.0.1:${port}`);
  }
  return text;
}

const haproxyWith = (file: string): string[] => ['/usr/sbin/haproxy', '-db', '-f', file];
const start = ([command = '', ...args]: readonly string[]): ChildProcess =>
  track(spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] }));

const REDIS_ADDRESSES = ['10.0.0.1:6379', '10.0.0.2:6379', '10.0.0.3:6379'];

/**
 * HAProxy in front of a primary and its replicas, with the settings that docs/production.md prints.
 *
 * @param ports of the three servers
 */
export async function startRedisBalancer(
  ports: readonly number[],
): Promise<{ port: number; stop(): Promise<void> }> {
  const file = join(tempFolder('haproxy'), 'haproxy.conf');
  const port = await freePort();
  const [printed] = blocksOf('production', 'Redis behind HAProxy', 'haproxy');
  const addresses = REDIS_ADDRESSES.map((address, index) => [address, ports[index]] as const);
  writeFileSync(file, onThisMachine(printed, [['*:6379', port], ...addresses]));
  const child = start(haproxyWith(file));
  child.stderr?.resume();
  // At first it takes all of them for well.
  for (let primaries = 0; primaries < 2 * ports.length;)
    primaries = (await askOnce(port, 'INFO replication')).includes('role:master')
      ? primaries + 1
      : 0;
  return { port, stop: () => kill(child, 'SIGTERM') };
}

/** @param ports of as many gateways as the settings have */
export async function startBalancer(
  name: 'haproxy' | 'nginx',
  ports: readonly number[],
): Promise<LoadBalancer> {
  const folder = tempFolder(name);
  const port = await freePort();
  const [haproxy, nginxServer] = blocksOf(
    'production',
    'Behind a load balancer',
    'haproxy',
    'nginx',
  );
  const printed = name === 'haproxy' ? haproxy : nginxServer;
  const addresses = ADDRESSES.map((address, index) => [address, ports[index]] as const);
  const settings = onThisMachine(printed, [[LISTEN, port], ...addresses]);
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, name === 'nginx' ? nginx(settings, folder) : settings);
  const child = start(
    name === 'nginx'
      ? ['/usr/sbin/nginx', '-e', 'stderr', '-p', folder, '-c', file]
      : haproxyWith(file),
  );
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
      return fetch(`${url}/health/ready`).then(({ status }) => status, String);
    })
    .toBe(200);
  return { url, output: () => said, stop: () => kill(child, 'SIGTERM') };
}

/** The rest of a configuration, within one folder and in the foreground. */
const nginx = (http: string, folder: string): string => `
daemon off;
pid ${folder}/pid;
worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ${http}
}
`;
