import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { track } from '../run/resources.js';

/** What came of a flood; latencies in milliseconds, rates per second, the first answer of each status. */
export interface Flood {
  status: Record<string, { rate: number; count: number; p99: number; sample: string } | undefined>;
  errors: number;
}

/** `POST /token` from a process of its own; rate 0: as fast as answers come. */
export async function flood(
  url: string,
  connections: number,
  rate: number,
  seconds: number,
  headers = '',
): Promise<Flood> {
  const request = `POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n${headers}\r\n`;
  const argument = JSON.stringify({ url, request, connections, rate, seconds });
  const child = track(
    spawn(process.execPath, [resolve('test/helpers/network/flood-process.mjs'), argument], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  return JSON.parse(output) as Flood;
}
