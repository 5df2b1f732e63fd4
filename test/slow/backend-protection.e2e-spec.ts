import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FULL, limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { callWith, type Answer } from '../helpers/network/http.js';
import { tokenOf } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { fasterClock, preload } from '../helpers/gateway/processes.js';
import { tempFolder } from '../helpers/run/resources.js';

const GOOD = JSON.stringify({ access_token: { sub: 'user', aud: 'http://api.example.com' } });

let env: Record<string, string>;
let bearer: string;
beforeAll(async () => {
  const jwk = await generateJwk('HS256', 'k1');
  bearer = await tokenOf(jwk);
  env = { SIGNER_KID: 'k1', SIGNER_JWK_LOCAL_PATH: writeKeys([jwk]) };
});

const getCustom = (gateway: Gateway): Promise<Answer> =>
  callWith(`${gateway.url}/private/custom`, bearer);

describe('F18 a backend that closes idle connections', () => {
  const CALLS = FULL ? 100_000 : 1500;
  let backend: Server;
  let gateway: Gateway;
  let closed = 0;

  beforeAll(async () => {
    // Right after some answers, or when the next request may be under way; it is never announced.
    backend = createServer((request, response) => {
      const { socket } = request;
      response.end(GOOD);
      const ms = Math.random() * 30;
      if (ms < 6)
        setTimeout(() => {
          closed++;
          socket.end();
        }, ms);
    }).listen(0, '127.0.0.1');
    backend.keepAliveTimeout = 0;
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    gateway = await startGateway({ ...env, BACKEND_HOST: `http://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await gateway?.stop();
    backend?.closeAllConnections();
    backend?.close();
  });

  it('is no problem of any client', async () => {
    const statuses: Record<number, number> = {};
    const client = async (): Promise<void> => {
      for (let i = 0; i < CALLS / 10; i++) {
        const { status } = await getCustom(gateway);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
      }
    };
    await Promise.all(Array.from({ length: 10 }, client));
    figure(
      `F18 ${closed} idle connections closed by the backend: statuses of ${CALLS} GETs ${JSON.stringify(statuses)} (criterion: 200 only)`,
    );
    expect(closed).toBeGreaterThan(50);
    expect(statuses).toEqual({ 200: CALLS });
  }, 300_000);
});

describe('F19 the address of the backend', () => {
  /** The short form runs with a clock ten times as fast; timers are not affected. */
  const SPEED = FULL ? 1 : 10;
  const file = join(tempFolder('dns'), 'address');
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close().closeAllConnections();
  });
  const serve = async (address: string, port: number): Promise<number> => {
    const server = createServer((_request, response) => {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ address }));
    }).listen(port, address);
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  it('is followed when it changes, and kept while its name server fails', async () => {
    const port = await serve('127.0.0.1', 0);
    await serve('127.0.0.2', port);
    writeFileSync(file, '127.0.0.1');
    const gateway = await startGateway({
      ...env,
      BACKEND_HOST: `http://backend.test:${port}`,
      NODE_OPTIONS: preload(
        `const { default: dns } = await import('node:dns'); const { readFileSync } = await import('node:fs');
         const real = dns.lookup;
         dns.lookup = (host, options, callback) => {
           if (host !== 'backend.test') return real(host, options, callback);
           const address = readFileSync(${JSON.stringify(file)}, 'utf8');
           if (address === 'none') return callback(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }));
           callback(null, options.all ? [{ address, family: 4 }] : address, 4);
         };
         (await import('node:module')).syncBuiltinESMExports(); ${fasterClock(SPEED)}`,
      ),
    });
    const statuses = new Set<number>();
    const answeredBy = async (): Promise<unknown> => {
      const { status, json } = await getCustom(gateway);
      statuses.add(status);
      return json.address ?? status;
    };
    /** Seconds of the gateway's clock until the answer is that. */
    const until = async (expected: unknown): Promise<number> => {
      const start = performance.now();
      await expect.poll(answeredBy, { interval: 20, timeout: 60_000 }).toBe(expected);
      return ((performance.now() - start) * SPEED) / 1000;
    };
    expect(await answeredBy()).toBe('127.0.0.1');
    writeFileSync(file, '127.0.0.2');
    const changed = await until('127.0.0.2');
    expect([...statuses]).toEqual([200]);
    writeFileSync(file, 'none');
    const end = performance.now() + 40_000 / SPEED;
    while (performance.now() < end) expect(await answeredBy()).toBe('127.0.0.2');
    writeFileSync(file, '127.0.0.1');
    const recovered = await until('127.0.0.1');
    expect([...statuses]).toEqual([200]);
    figure(
      `F19 a changed address used after ${changed.toFixed(1)} s (criterion 30); the last one while the name server fails; a new one ${recovered.toFixed(1)} s after it is back (criterion 35); 0 requests failed`,
    );
    expect(changed).toBeLessThan(limit(30, 45));
    expect(recovered).toBeLessThan(limit(35, 55));
    await gateway.stop();
  }, 200_000);
});
