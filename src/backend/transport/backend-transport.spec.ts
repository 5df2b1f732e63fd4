import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BackendBadResponseException,
  BackendTimeoutException,
  BackendUnavailableException,
} from '../backend.exceptions.js';
import { BackendTransport } from './backend-transport.js';
import type { ExchangeLimits } from './exchange.js';

let server: Server;
let transport: BackendTransport;
const seen: string[] = [];
const connections = new Set<Socket>();
/** What becomes of the n-th request (from 0) of a connection: true cuts it. */
let cuts: (n: number) => boolean;

const count = new WeakMap<Socket, number>();
const isCut = ({ socket, method, url }: IncomingMessage): boolean => {
  const n = count.get(socket) ?? 0;
  count.set(socket, n + 1);
  seen.push(`${method} ${url} ${n}`);
  return cuts(n);
};

beforeEach(async () => {
  seen.length = 0;
  connections.clear();
  cuts = () => false;
  server = createServer((request, response) => {
    if (isCut(request)) request.socket.resetAndDestroy();
    else if (request.url === '/large') response.end('x'.repeat(1001));
    else if (request.url !== '/hang') setTimeout(() => response.end('{}'), 5);
  });
  server.on('connection', (socket) => connections.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  transport = new BackendTransport({
    maxConnections: 2,
    timeoutMs: 10_000,
    maxBodyBytes: 1000,
  });
});
afterEach(async () => {
  await transport.onApplicationShutdown();
  server.closeAllConnections();
  server.close();
});

/** A first call, and the turn of the event loop after which its connection may be used again. */
async function open(): Promise<void> {
  await send('GET');
  await turn();
}

const send = (method: string, path = '/', timeoutMs?: number) =>
  sendWithin({ timeoutMs }, method, path);

const sendWithin = (limits: Partial<ExchangeLimits>, method = 'GET', path = '/') =>
  transport.send(
    {
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      path,
      method,
      headers: {},
      body: method === 'POST' ? '{}' : undefined,
    },
    limits,
  );

describe('a connection that dies under a request', () => {
  it('is replaced for GET when it was a used one', async () => {
    cuts = (n) => n === 1;
    await open();
    expect((await send('GET', '/again')).status).toBe(200);
    expect(seen).toEqual(['GET / 0', 'GET /again 1', 'GET /again 0']);
    expect(transport.retries).toBe(1);
  });

  it('is the end of a POST: it may have been received', async () => {
    cuts = (n) => n === 1;
    await open();
    await expect(send('POST', '/again')).rejects.toBeInstanceOf(BackendUnavailableException);
    expect(seen).toEqual(['GET / 0', 'POST /again 1']);
  });

  it('is the end of any request when it was a fresh one', async () => {
    cuts = () => true;
    for (const method of ['GET', 'POST'])
      await expect(send(method)).rejects.toBeInstanceOf(BackendUnavailableException);
    expect(seen).toEqual(['GET / 0', 'POST / 0']);
  });

  it('is replaced once, not twice', async () => {
    await open();
    cuts = () => true;
    await expect(send('GET')).rejects.toBeInstanceOf(BackendUnavailableException);
    expect(seen.length).toBe(3);
  });

  it('leaves the second attempt no more time than there was', async () => {
    await open();
    cuts = (n) => n === 1;
    const start = performance.now();
    await expect(send('GET', '/hang', 500)).rejects.toBeInstanceOf(BackendTimeoutException);
    expect(seen.length).toBe(3);
    expect(performance.now() - start).toBeLessThan(950);
  });

  it('is replaced for a bounded share of the calls', async () => {
    cuts = (n) => n === 1;
    const CALLS = 600;
    for (let i = 0; i < CALLS; i++) {
      await send('GET').catch(() => undefined);
      await turn();
    }
    const extra = seen.length - CALLS;
    expect(extra).toBe(transport.retries);
    expect(extra).toBeGreaterThan(100);
    expect(extra).toBeLessThanOrEqual(100 + CALLS * 0.1);
  });

  it('costs a POST nothing when it died before anything was written', async () => {
    await open();
    for (const socket of connections) socket.resetAndDestroy();
    expect((await send('POST')).status).toBe(200);
    expect(seen).toEqual(['GET / 0', 'POST / 0']);
  });
});

describe('the pool', () => {
  it('opens no more connections than it may', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('GET')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(connections.size).toBe(2);
  });

  it('is replaced every 20 seconds of the monotonic clock, and the old one closed', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    try {
      await open();
      const [first] = connections;
      // A wall clock that is set back must not keep a connection to an address that is no more.
      vi.setSystemTime(0);
      vi.advanceTimersByTime(19_000);
      await send('GET');
      expect(connections.size).toBe(1);
      vi.advanceTimersByTime(1000);
      await send('GET');
      expect(connections.size).toBe(2);
      await expect.poll(() => first?.destroyed).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps the connections that requests past their deadline waited for', async () => {
    const hung = [1, 2].map(() => send('GET', '/hang', 300).catch(() => undefined));
    const late = Array.from({ length: 20 }, () => send('GET', '/', 50));
    const results = await Promise.allSettled(late);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await Promise.all(hung);
    expect((await send('GET')).status).toBe(200);
    expect(seen.filter((line) => line.startsWith('GET / '))).toHaveLength(1);
    // Two for those that hung, and at most one more for each.
    expect(connections.size).toBeLessThanOrEqual(4);
  });
});

describe('limits', () => {
  it('are those of the options where a request asks for more', async () => {
    await expect(send('GET', '/large')).rejects.toBeInstanceOf(BackendBadResponseException);
    const large = sendWithin({ maxBodyBytes: 1e9 }, 'GET', '/large');
    await expect(large).rejects.toThrow(/cannot be used/);
    await transport.onApplicationShutdown();
    transport = new BackendTransport({ timeoutMs: 50 });
    const late = sendWithin({ timeoutMs: 60_000 }, 'GET', '/hang');
    await expect(late).rejects.toMatchObject({
      details: {
        explanation: expect.stringMatching(
          /^no complete answer of http:.*:\d+ within 50 ms$/,
        ) as string,
      },
    });
  });

  it('may be stricter for one request', async () => {
    const small = sendWithin({ maxBodyBytes: 1 });
    await expect(small).rejects.toMatchObject({
      details: { explanation: 'the answer is larger than 1 bytes' },
    });
  });

  it('are those of a signal, too, which is let go of in the end', async () => {
    const canceler = new AbortController();
    const { signal } = canceler;
    expect((await sendWithin({ signal })).status).toBe(200);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const hung = sendWithin({ signal }, 'GET', '/hang');
    canceler.abort(new Error('enough'));
    await expect(hung).rejects.toThrow('enough');
    const requests = seen.length;
    await expect(sendWithin({ signal })).rejects.toThrow('enough');
    expect(seen.length).toBe(requests);
  });
});

it.each([
  { origin: 'ftp://host' },
  { origin: 'no URL' },
  { path: 'no-slash' },
  { headers: { 'transfer-encoding': 'chunked' } },
])('a request that cannot be written is no failure of the backend: %j', async (wrong) => {
  const { port } = server.address() as AddressInfo;
  const request = { origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET', headers: {} };
  const call = transport.send({ ...request, body: undefined, ...wrong });
  await expect(call).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:UND_ERR_INVALID_ARG|ERR_INVALID_URL)$/) as string,
  });
});

it('a failure names the host and the port that were called', async () => {
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const request = { origin, path: '/', method: 'POST', headers: {}, body: undefined };
  cuts = () => true;
  await expect(transport.send(request)).rejects.toMatchObject({
    details: { explanation: expect.stringContaining(`no connection to ${origin} (`) as string },
  });
  await expect(transport.send({ ...request, origin: 'http://127.0.0.1:1' })).rejects.toMatchObject({
    details: { explanation: 'no connection to http://127.0.0.1:1 (ECONNREFUSED)' },
  });
});

it.each([
  ['garbage', 'garbage\r\n\r\n', 'the answer is not HTTP (HTTPParserError)'],
  [
    'a head that is too long',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
    'the answer is not HTTP (UND_ERR_HEADERS_OVERFLOW)',
  ],
])('%s is a bad answer, not a missing one', async (_what, answer, explanation) => {
  const other = createTcpServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(answer));
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const request = { origin, path: '/', method: 'POST', headers: {}, body: undefined };
  await expect(transport.send(request)).rejects.toMatchObject({
    details: { code: 'backend_bad_response', explanation },
  });
  other.close();
});
