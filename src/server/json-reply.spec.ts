import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express, { type Response } from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayAdapter } from './index.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** What comes of a reply, whether Express made it, and whether its end waits for others. */
async function reply(
  body: unknown,
  status?: number,
  prepare?: (response: Response) => void,
  method = 'GET',
) {
  const app = express();
  const adapter = new GatewayAdapter(app);
  const send = vi.spyOn(app.response, 'send');
  let waits = false;
  app.use((_request, response) => {
    prepare?.(response);
    adapter.reply(response, body, status);
    waits = response.headersSent && !response.writableEnded;
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method });
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    length: answer.headers.get('content-length'),
    etag: answer.headers.get('etag'),
    text: await answer.text(),
    byExpress: send.mock.calls.length > 0,
    waits,
  };
}

const JSON_TYPE = 'application/json; charset=utf-8';
const withType = (type: string) => (response: Response) => response.setHeader('Content-Type', type);

describe('the reply of the adapter', () => {
  it.each([
    ['an object', { a: 'ä' }, undefined, '{"a":"ä"}', JSON_TYPE],
    ['a list', [1, { b: null }], undefined, '[1,{"b":null}]', JSON_TYPE],
    [
      'JSON that is text already',
      '{"n": 1.50}',
      withType('application/json'),
      '{"n": 1.50}',
      'application/json',
    ],
    [
      'text of another JSON type',
      '[]',
      withType('application/json;v=2'),
      '[]',
      'application/json;v=2',
    ],
  ])('is made without Express for %s', async (_what, body, prepare, text, type) => {
    expect(await reply(body, 201, prepare)).toEqual({
      status: 201,
      type,
      length: String(Buffer.byteLength(text)),
      etag: null,
      text,
      byExpress: false,
      waits: true,
    });
  });

  it.each([
    ['a string', 'hello', undefined],
    ['a text of another type', '<b>', withType('text/html')],
    ['an object with a type', { a: 1 }, withType('application/problem+json')],
    ['an object of a class', new Date(0), undefined],
    ['an object without a prototype', Object.create(null), undefined],
    ['a number', 7, undefined],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
  ])('is made by Express for %s', async (_what, body, prepare) => {
    expect((await reply(body, 200, prepare)).byExpress).toBe(true);
  });

  it('is made by Express where there is no body', async () => {
    expect(await reply({ a: 1 }, 200, undefined, 'HEAD')).toMatchObject({
      byExpress: true,
      text: '',
    });
    for (const status of [204, 304])
      expect(await reply({ a: 1 }, status)).toMatchObject({
        status,
        byExpress: true,
        length: null,
      });
  });

  it('streams what is a stream', async () => {
    const answer = await reply(undefined, 200, (response) => {
      Readable.from(['a', 'b']).pipe(response);
      vi.spyOn(response, 'send').mockReturnValue(response);
    });
    expect(answer.text).toBe('ab');
  });
});
