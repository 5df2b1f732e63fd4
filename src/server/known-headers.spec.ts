import { once } from 'node:events';
import { OutgoingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayAdapter } from './index.js';

const closers: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) close();
});

/** A server of the adapter, which lets `answer` make each answer. */
async function serve(answer: (response: ServerResponse) => void): Promise<() => Promise<Response>> {
  const app = express();
  app.disable('x-powered-by');
  app.get('/', (_request, response) => {
    answer(response);
    if (!response.writableEnded) response.end();
  });
  const adapter = new GatewayAdapter(app);
  adapter.initHttpServer();
  const server = adapter.getHttpServer();
  server.listen(0, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return () => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

describe('headers that Node has looked at', () => {
  it('are not looked at again', async () => {
    const looks = vi.spyOn(OutgoingMessage.prototype, 'setHeader');
    const get = await serve((response) => {
      response.setHeader('X-Same', 'always').setHeader('X-Other', 'as well');
    });
    await get();
    const first = looks.mock.calls.length;
    const { headers } = await get();
    expect(first).toBe(2);
    expect(looks).toHaveBeenCalledTimes(first);
    expect(headers.get('x-same')).toBe('always');
    expect(headers.get('x-other')).toBe('as well');
  });

  it('can be read, replaced, appended to and removed, and none is shared by two answers', async () => {
    let turn = 0;
    const seen: unknown[] = [];
    const get = await serve((response) => {
      for (const name of ['X-A', 'X-B', 'X-C', 'X-D']) response.setHeader(name, 'one');
      seen.push(response.getHeader('x-a'), response.hasHeader('X-B'), response.getHeaderNames());
      if (turn++ !== 1) return;
      response.setHeader('x-a', 'two');
      response.appendHeader('X-B', 'two');
      response.removeHeader('X-C');
    });
    const answers: unknown[] = [];
    for (let count = 0; count < 3; count++) {
      const { headers } = await get();
      answers.push(['x-a', 'x-b', 'x-c', 'x-d'].map((name) => headers.get(name)));
    }
    expect(answers).toEqual([
      ['one', 'one', 'one', 'one'],
      ['two', 'one, two', null, 'one'],
      ['one', 'one', 'one', 'one'],
    ]);
    expect(seen).toEqual([1, 2, 3].flatMap(() => ['one', true, ['x-a', 'x-b', 'x-c', 'x-d']]));
  });

  it.each<[what: string, name: string, value: unknown]>([
    ['a line break in a value', 'X-A', 'one\r\nX-B: two'],
    ['a line break in a name', 'X-A\r\nX-B', 'one'],
    ['no value', 'X-A', undefined],
  ])('Node refuses %s each time', async (_what, name, value) => {
    const refused: boolean[] = [];
    const get = await serve((response) => {
      response.setHeader('X-A', 'one');
      try {
        response.setHeader(name, value as string);
      } catch {
        refused.push(true);
      }
    });
    await get();
    await get();
    expect(refused).toEqual([true, true]);
  });

  it('cannot be set once the head is final', async () => {
    const errors: unknown[] = [];
    const get = await serve((response) => {
      response.setHeader('X-A', 'one');
      response.writeHead(200);
      try {
        response.setHeader('X-A', 'one');
      } catch (error) {
        errors.push((error as NodeJS.ErrnoException).code);
      }
    });
    await get();
    await get();
    expect(errors).toEqual(['ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT']);
  });

  it('of many names fill no memory, and are set all the same', async () => {
    const looks = vi.spyOn(OutgoingMessage.prototype, 'setHeader');
    const get = await serve((response) => {
      for (let count = 0; count < 200; count++) response.setHeader(`X-${count}`, 'one');
      response.setHeader('X-Long', 'x'.repeat(5000));
    });
    await get();
    looks.mockClear();
    const { headers } = await get();
    expect(looks).toHaveBeenCalledTimes(200 - 64 + 1);
    expect(headers.get('x-199')).toBe('one');
    expect(headers.get('x-long')).toHaveLength(5000);
  });
});
