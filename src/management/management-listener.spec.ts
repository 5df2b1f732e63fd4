import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BootError } from '../core/errors/index.js';
import { listenerUrl, startManagementServer, type ManagementOptions } from './index.js';

const lines: string[] = [];
const logger = {
  log: (message: string) => void lines.push(message),
  warn: (message: string) => void lines.push(`warning: ${message}`),
};
const open: (Pick<Server, 'close'> | undefined)[] = [];
afterEach(() => {
  lines.length = 0;
  for (const server of open.splice(0)) server?.close();
});

async function start(options: Partial<ManagementOptions>, body = () => Promise.resolve('x 1\n')) {
  const server = await startManagementServer({ host: '127.0.0.1', port: 0, ...options }, logger, {
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: await body() }),
    status: async () => undefined,
  });
  open.push(server);
  return server;
}

/** A port of the loopback interface that somebody else has. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('the management listener', () => {
  it('serves /metrics where the log says', async () => {
    await start({});
    const [url = ''] = /http:\S+/.exec(lines.join()) ?? [];
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/plain; version=0.0.4',
      'x 1\n',
    ]);
    expect((await fetch(`${url}?format=text`)).status).toBe(200);
    expect((await fetch(url, { method: 'POST' })).status).toBe(404);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('survives metrics that cannot be told', async () => {
    await start({}, () => Promise.reject(new Error('no metrics')));
    const [url = ''] = /http:\S+/.exec(lines.join()) ?? [];
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('is none without a port', async () => {
    expect(await start({ port: undefined })).toBeUndefined();
    expect(lines).toEqual([]);
  });

  it('stops the boot when its port is in use, unless it is optional', async () => {
    const port = await takenPort();
    const problem = `MANAGEMENT_PORT ${port} cannot be listened on (EADDRINUSE)`;
    await expect(start({ port })).rejects.toThrow(new BootError(problem));
    expect(await start({ port, optional: true })).toBeUndefined();
    expect(lines).toEqual([`warning: ${problem}; there is no /metrics`]);
  });

  it('names its host where that cannot be listened on', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow(
      'cannot listen on MANAGEMENT_HOST 192.0.2.1 and MANAGEMENT_PORT 0 (EADDRNOTAVAIL)',
    );
  });
});

describe('listenerUrl', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:8080'],
    ['localhost', 'http://localhost:8080'],
    ['::', 'http://[::]:8080'],
    ['fd00::7', 'http://[fd00::7]:8080'],
  ])('of %s is %s', (host, url) => {
    expect(listenerUrl(host, 8080)).toBe(url);
    expect(URL.canParse(url)).toBe(true);
  });
});
