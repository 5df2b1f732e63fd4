import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { afterEach, expect, it, vi } from 'vitest';
import { GatewayAdapter } from './index.js';

const closers: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) close();
});

/** How often the prototype of a request or a response is changed while one request is served. */
async function changedPrototypes(serverOf: (app: Express) => Server): Promise<number> {
  const app = express();
  app.get('/', (request, response) => response.json({ ip: request.ip, path: request.path }));
  const server = serverOf(app).listen(0, '127.0.0.1');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  let changed = 0;
  const original = Object.setPrototypeOf;
  vi.spyOn(Object, 'setPrototypeOf').mockImplementation((object: object, prototype) => {
    if (Object.getPrototypeOf(object) !== prototype) changed++;
    return original(object, prototype) as object;
  });
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  // Both prototypes are Express's.
  expect(await response.json()).toEqual({ ip: '127.0.0.1', path: '/' });
  return changed;
}

it('the server of the adapter leaves Express no prototype to change', async () => {
  const serverOf = (app: Express): Server => {
    const adapter = new GatewayAdapter(app);
    adapter.initHttpServer();
    return adapter.getHttpServer();
  };
  expect(await changedPrototypes(serverOf)).toBe(0);
});

it('another server leaves it two per request', async () => {
  expect(await changedPrototypes((app) => createServer(app))).toBe(2);
});
