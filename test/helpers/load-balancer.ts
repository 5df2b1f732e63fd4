import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from './free-port.js';
import { blocksOf } from './manual.js';
import { kill, tempFolder, track } from './resources.js';

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
  let settings = printed.replace(LISTEN, `127.0.0.1:${port}`);
  for (const [index, address] of ADDRESSES.entries()) {
    if (!settings.includes(address)) throw new Error(`the settings of ${name} lack ${address}`);
    settings = settings.replace(address, `127.0.0.1:${ports[index]}`);
  }
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, name === 'nginx' ? nginx(settings, folder) : settings);
  const [command = '', ...args] =
    name === 'nginx'
      ? ['/usr/sbin/nginx', '-e', 'stderr', '-p', folder, '-c', file]
      : ['/usr/sbin/haproxy', '-db', '-f', file];
  const child: ChildProcess = track(spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
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
