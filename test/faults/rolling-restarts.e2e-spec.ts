// Restarts of one gateway after the other behind the balancers that people have, with the settings of the manual.
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBackend, type Backend } from '../helpers/backends/backend.js';
import { FULL, limit } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { freePort } from '../helpers/run/free-port.js';
import { exitOf, startGateway, type GatewayProcess } from '../helpers/gateway/gateway.js';
import { AUDIENCE, ISSUER } from '../helpers/issuers/issuer.js';
import { generateJwk, writeKeys } from '../helpers/issuers/keys.js';
import { startBalancer } from '../helpers/network/load-balancer.js';
import { BALANCERS } from '../helpers/run/programs.js';
import { tempFolder } from '../helpers/run/resources.js';
import { login } from '../helpers/sessions/sessions.js';

const ROUNDS = FULL ? 4 : 1;
const REQUESTS_PER_SECOND = FULL ? 500 : 200;
/** What is under way at most; more would wait in a queue of our own. */
const AT_ONCE = 50;
const DELAY_MS = 2000;

let backend: Backend;
let keys: string;
beforeAll(async () => {
  backend = await startBackend();
  keys = writeKeys([await generateJwk('HS256', 'sim2')]);
  const claims = { sub: 'u1', aud: AUDIENCE, iss: ISSUER, roles: ['role_a'] };
  await backend.answer('/token.json', { body: { access_token: claims } });
  await backend.answer('/user/1.json', { body: { id: 1 } });
});
afterAll(() => backend.stop());

/** A steady load of what people do: protected GETs and logins, half of each over a connection of its own. */
function load(url: string) {
  const kept = new Agent({ connections: 20 });
  // Each request has a connection of its own.
  const fresh = new Agent({ connections: AT_ONCE, pipelining: 0 });
  const failures = new Map<string, number>();
  let requests = 0;
  const stopping = new AbortController();
  const send = async (count: number, token: string): Promise<void> => {
    const dispatcher = count % 4 < 2 ? kept : fresh;
    const isLogin = count % 2 === 0;
    const reset = dispatcher === fresh ? { reset: true } : {};
    const init = isLogin
      ? { method: 'POST' as const, path: '/token', headers: {} }
      : {
          method: 'GET' as const,
          path: '/private/custom',
          headers: { authorization: `Bearer ${token}` },
        };
    const what = `${init.method}${dispatcher === fresh ? ', new connection' : ''}`;
    try {
      const { path, ...rest } = init;
      const { statusCode, body } = await request(`${url}${path}`, {
        dispatcher,
        ...reset,
        ...rest,
      });
      const text = await body.text();
      if (statusCode !== 200 || !text.includes(isLogin ? 'eyJ' : '"id"'))
        note(`${what}: ${statusCode}`);
    } catch (error) {
      note(`${what}: ${String(error)}`);
    }
  };
  const note = (what: string): void => void failures.set(what, (failures.get(what) ?? 0) + 1);
  const running = (async () => {
    const { access } = await login(url);
    const open = new Set<Promise<void>>();
    const start = performance.now();
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - start) * REQUESTS_PER_SECOND) / 1000;
      for (; requests < due && open.size < AT_ONCE; requests++) {
        const one = send(requests, access).finally(() => open.delete(one));
        open.add(one);
      }
      await sleep(2);
    }
    await Promise.all(open);
    await Promise.all([kept.close(), fresh.close()]);
  })();
  return async () => {
    stopping.abort();
    await running;
    return { requests, failures: Object.fromEntries(failures) };
  };
}

describe.each(BALANCERS)(
  '%s, and three gateways of which one after the other restarts',
  (name, isMissing) => {
    it.skipIf(isMissing).each(['1', '2'])(
      'no request fails, with WORKERS=%s',
      async (WORKERS) => {
        const ports = [await freePort(), await freePort(), await freePort()];
        const store = `sqlite:${tempFolder('state')}/signet.db`;
        const start = (port: number): Promise<GatewayProcess> =>
          startGateway({
            PORT: String(port),
            WORKERS,
            BACKEND_HOST: backend.url,
            SIGNER_JWK_LOCAL_PATH: keys,
            STATE_STORE: store,
            TRUST_PROXY: '1',
            SHUTDOWN_DELAY_MS: String(DELAY_MS),
          });
        const gateways = await Promise.all(ports.map(start));
        onTestFinished(async () => void (await Promise.all(gateways.map((one) => one.stop()))));
        const balancer = await startBalancer(name, ports);
        onTestFinished(() => balancer.stop());
        const stop = load(balancer.url);
        let slowest = 0;
        for (let round = 0; round < ROUNDS; round++)
          for (const [index, port] of ports.entries()) {
            const gateway = gateways[index] as GatewayProcess;
            gateway.process.kill('SIGTERM');
            const signalled = performance.now();
            expect(await exitOf(gateway)).toBe(0);
            slowest = Math.max(slowest, performance.now() - signalled);
            gateways[index] = await start(port);
            // Until the balancer has seen it.
            await sleep(1500);
          }
        const { requests, failures } = await stop();
        const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
        figure(
          `F60 ${name}, WORKERS=${WORKERS}: ${requests} requests during ${ROUNDS} rolling restart(s) of 3 gateways, ${failed} failed (criterion 0); each ended within ${Math.round(slowest)} ms`,
        );
        if (failed > 0) process.stderr.write(balancer.output());
        expect(failures).toEqual({});
        expect(requests).toBeGreaterThan(1000);
        expect(slowest).toBeLessThan(limit(DELAY_MS + 2000, 20_000));
      },
      FULL ? 600_000 : 120_000,
    );
  },
);
