import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { endInBatch } from './batched-end.js';

const servers: ReturnType<typeof createServer>[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

it('ends all answers, each with its own body', async () => {
  const url = await serve((request, response) => endInBatch(response, request.url ?? ''));
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
  const answers = await Promise.all(
    paths.map(async (path) => (await fetch(url + path, { keepalive: true })).text()),
  );
  expect(answers).toEqual(paths);
});

it('makes the head final at once: what comes later sees it as sent, and cannot change it', async () => {
  const seen: unknown[] = [];
  const url = await serve((_request, response) => {
    response.statusCode = 401;
    endInBatch(response, 'first');
    seen.push(response.headersSent);
    expect(() => response.setHeader('X-Later', '1')).toThrow(/after they are sent/);
    response.statusCode = 200;
  });
  const response = await fetch(url);
  expect(seen).toEqual([true]);
  expect([response.status, response.headers.get('x-later')]).toEqual([401, null]);
  expect(await response.text()).toBe('first');
});

it('does not let one answer that cannot be ended keep the others from it', async () => {
  let waiting = 0;
  const together: (() => void)[] = [];
  const url = await serve((request, response) => {
    if (request.url === '/bad')
      response.end = () => {
        throw new Error('an end that somebody replaced');
      };
    together.push(() => endInBatch(response, 'good'));
    // All three in one turn.
    if (++waiting === 3) for (const end of together) end();
  });
  const results = await Promise.allSettled(
    ['/', '/bad', '/'].map(async (path) => (await fetch(url + path)).text()),
  );
  expect(results.map(({ status }) => status).toSorted()).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
});

it('ends all responses of a turn of the event loop after the last of its requests, one after the other', async () => {
  const events: string[] = [];
  const respond = (name: string): void =>
    endInBatch(
      {
        writeHead: () => events.push(`head ${name}`),
        end: () => events.push(`end ${name}`),
      } as unknown as ServerResponse,
      name,
    );
  const scheduled = vi.spyOn(globalThis, 'setImmediate');
  for (const name of ['a', 'b', 'c']) {
    respond(name);
    await Promise.resolve();
  }
  expect(events).toEqual(['head a', 'head b', 'head c']);
  expect(scheduled).toHaveBeenCalledTimes(1);
  scheduled.mockRestore();
  await turn();
  expect(events.slice(3)).toEqual(['end a', 'end b', 'end c']);
  respond('d');
  await turn();
  expect(events.slice(6)).toEqual(['head d', 'end d']);
});
