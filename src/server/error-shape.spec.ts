// All error answers have the same form, whichever part of the gateway makes them.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, expect, it } from 'vitest';
import { ErrorFilter, GatewayException } from '../http/index.js';
import { answerClientError } from './client-error.js';
import { LoadShedder } from './limits/load-shedder.js';

let server: ReturnType<typeof createServer> | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Names of the headers and members of the error that a server answers with. */
async function shapeOf(listener: RequestListener, headers: Record<string, string> = {}) {
  server = createServer({ maxHeaderSize: 1024 }, listener)
    .on('clientError', (error, socket) => answerClientError(error, socket as Socket))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
  const body = (await answer.json()) as Record<string, unknown>;
  expect(body.request_id).toBe(answer.headers.get('x-request-id'));
  return {
    status: answer.status,
    headers: [...answer.headers.keys()].filter(
      (name) => !['connection', 'date', 'keep-alive', 'retry-after'].includes(name),
    ),
    members: Object.keys(body),
    type: answer.headers.get('content-type'),
    id: String(body.request_id),
  };
}

const failing: RequestListener = (request, response) => {
  new ErrorFilter().catch(
    new GatewayException({ status: 400, error: 'e', code: 'c', description: 'd' }),
    new ExecutionContextHost([request, response]),
  );
  waits = response.headersSent && !response.writableEnded;
};
/** The last response of the filter is written with the others of its turn of the event loop. */
let waits = false;

/** A server with more requests in flight than it admits. */
const shedding: RequestListener = (request, response) => {
  const shedder = new LoadShedder();
  const idle = { url: '/', headers: {} } as IncomingMessage;
  for (let i = 0; i < 4096; i++) shedder.admit(idle, { on: () => undefined } as never);
  expect(shedder.admit(request, response)).toBe(false);
};

it('has the same headers and members, and an id', async () => {
  const shape = await shapeOf(failing);
  expect(waits).toBe(true);
  expect(shape).toMatchObject({
    status: 400,
    headers: [
      'cache-control',
      'content-length',
      'content-type',
      'x-content-type-options',
      'x-request-id',
    ],
    members: ['error', 'error_description', 'code', 'request_id'],
    type: 'application/json; charset=utf-8',
  });
  const same = { headers: shape.headers, members: shape.members, type: shape.type };
  expect(await shapeOf(shedding)).toMatchObject({ ...same, status: 503 });
  expect(await shapeOf(failing, { x: 'y'.repeat(2000) })).toMatchObject({ ...same, status: 431 });
});

it('keeps the id of the client where its request was read', async () => {
  expect((await shapeOf(failing, { 'x-request-id': 'r-1' })).id).toBe('r-1');
  expect((await shapeOf(shedding, { 'x-request-id': 'r-2' })).id).toBe('r-2');
});
