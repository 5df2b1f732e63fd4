import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { expressClasses, type ExpressApplication } from './express-prototypes.js';

const closers: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closers.splice(0)) close();
});

/** How often a prototype of a request or a response is changed while one request is served. */
async function changedPrototypes(prepare: (app: ExpressApplication) => object): Promise<number> {
  const app = express();
  app.get('/', (request, response) => response.json({ ip: request.ip, path: request.path }));
  const application = app as unknown as ExpressApplication;
  const server = createServer(prepare(application), (request, response) =>
    application(request, response, () => response.destroy()),
  ).listen(0, '127.0.0.1');
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

describe('expressClasses', () => {
  it('leaves Express no prototype to change', async () => {
    expect(await changedPrototypes(expressClasses)).toBe(0);
  });

  it('is needed for that', async () => {
    expect(await changedPrototypes(() => ({}))).toBe(2);
  });
});
