import { once } from 'node:events';
import { OutgoingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayAdapter } from './index.js';

const closers: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) close();
});

const outgoing = OutgoingMessage.prototype as unknown as {
  _storeHeader: (...given: unknown[]) => void;
};
const nodes = outgoing._storeHeader;
/** What Node was given for the head of an answer: text, and the headers that it writes itself. */
const stored: [text: string, headers: unknown][] = [];

/** The heads of answers on one connection to a server of the adapter, which lets each of `answers` make one. */
async function heads(...answers: ((response: ServerResponse) => void)[]): Promise<string[]> {
  let turn = 0;
  const app = express();
  app.disable('x-powered-by');
  app.get('/', (_request, response) => {
    answers[turn++]?.(response);
    response.end('body');
  });
  stored.length = 0;
  vi.spyOn(outgoing, '_storeHeader').mockImplementation(function (this: unknown, ...given) {
    stored.push(given as [string, unknown]);
    Reflect.apply(nodes, this, given);
  });
  const adapter = new GatewayAdapter(app);
  adapter.initHttpServer();
  const server = adapter.getHttpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  closers.push(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => (text += more));
  for (let count = 1; count <= answers.length; count++) {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => text.split('\r\n\r\nbody').length).toBe(count + 1);
  }
  return text.split('\r\n\r\nbody').slice(0, -1);
}

/** Lines of a head, whatever their order. */
const lines = (head: string | undefined): string[] =>
  (head ?? '')
    .split('\r\n')
    .map((line) => line.replace(/^Date: .*/, 'Date: now'))
    .toSorted();

const set =
  (headers: OutgoingHttpHeaders, status = 200) =>
  (response: ServerResponse): void => {
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value ?? '');
  };

const SAME = { 'X-A': 'one', 'X-B': 'two', 'Content-Length': '4' };

describe('headers that are the same in each answer', () => {
  it('are one text, and Node writes the others', async () => {
    await heads(
      set({ ...SAME, 'X-Id': '1' }),
      set({ ...SAME, 'X-Id': '2' }),
      set({ ...SAME, 'X-Id': '3' }),
    );
    // The first of all ids might have been of the kind that stays.
    expect(stored.at(-1)).toEqual([
      'HTTP/1.1 200 OK\r\nX-A: one\r\nX-B: two\r\n',
      ['Content-Length', '4', 'X-Id', '3'],
    ]);
  });

  it.each<[what: string, headers: OutgoingHttpHeaders, status?: number]>([
    ['the same', SAME],
    ['one more', { ...SAME, 'X-C': 'three' }],
    ['one less', { 'X-A': 'one', 'Content-Length': '4' }],
    ['another value', { ...SAME, 'X-B': 'three' }],
    ['another spelling of a name', { ...SAME, 'x-a': 'one' }],
    ['another order', { 'X-B': 'two', 'X-A': 'one', 'Content-Length': '4' }],
    ['a list', { ...SAME, 'X-L': ['one', 'two'] }],
    ['cookies', { ...SAME, 'Set-Cookie': ['a=1', 'b=2'] }],
    ['a number', { ...SAME, 'Content-Length': 4 }],
    ['no length', { 'X-A': 'one', 'X-B': 'two' }],
    ['the end of the connection', { ...SAME, Connection: 'keep-alive, x' }],
    ['a date', { ...SAME, Date: 'today' }],
    ['a name of a file', { ...SAME, 'Content-Disposition': 'attachment; filename="\u00e9"' }],
    ['another status', SAME, 401],
    ['none', {}],
  ])('%s: a head is as Node would write it', async (_what, headers, status) => {
    const [, , , after] = await heads(
      set(SAME),
      set(SAME),
      set(headers, status),
      set(headers, status),
    );
    const [alone] = await heads(set(headers, status));
    expect(lines(after)).toEqual(lines(alone));
  });

  it('are remembered in few texts', async () => {
    const many = Array.from({ length: 20 }, (_, i) => set({ [`X-${i}`]: 'one', ...SAME }));
    await heads(...many, ...many);
    const texts = new Set(stored.map(([text]) => text).filter((text) => text.includes('X-A')));
    expect(texts.size).toBe(8);
  });
});
