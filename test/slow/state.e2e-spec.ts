import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/state/index.js';
import { FULL } from '../helpers/run/faults.js';
import { figure } from '../helpers/run/figure.js';
import { startGateway, type Gateway } from '../helpers/gateway/gateway.js';
import { call, callWith, expectError, type Answer } from '../helpers/network/http.js';
import { fasterClock, metricOf, preload } from '../helpers/gateway/processes.js';
import { startRedis, withoutRedis } from '../helpers/stores/redis.js';
import { revocation } from '../helpers/stores/store-contract.js';

/** In the short form the gateway's clock is faster. */
const SPEED = FULL ? 1 : 5;

const login = async ({ url }: Gateway): Promise<string> =>
  String((await call(`${url}/token`, { method: 'POST' })).json.access_token);
const use = ({ url }: Gateway, token: string): Promise<Answer> =>
  callWith(`${url}/private/custom`, token);
const gauge = async (gateway: Gateway, name: string): Promise<number> =>
  metricOf(await gateway.metrics(), name);

describe.skipIf(withoutRedis)('a Redis that goes away and comes back', () => {
  it('leads to the stated policy: 30 s from the last view, then 503, then recovery', async () => {
    const own = await startRedis();
    const gateway = await startGateway({
      STATE_STORE: own.url,
      NODE_OPTIONS: preload(fasterClock(SPEED)),
    });
    const store = await openStore(own.url);
    const [good, revoked] = [await login(gateway), await login(gateway)];
    await store.addRevocation(revocation({ value: String(decodeJwt(revoked).jti) }));
    await expect.poll(async () => (await use(gateway, revoked)).status).toBe(401);

    const answers: { at: number; good: number; revoked: number }[] = [];
    const loading = new AbortController();
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!loading.signal.aborted) {
          const at = performance.now();
          const [one, other] = await Promise.all([use(gateway, good), use(gateway, revoked)]);
          answers.push({ at, good: one.status, revoked: other.status });
          await sleep(20);
        }
      }),
    );
    const ready = async (): Promise<number> => (await call(`${gateway.url}/health/ready`)).status;
    await own.kill();
    const lostAt = performance.now();
    await expect.poll(() => gauge(gateway, 'signet_state_stale_seconds')).toBeGreaterThan(1);
    expect(await ready()).toBe(200);
    // A clock that is faster than that of the store is no longer ready before that.
    await expect
      .poll(async () => (await use(gateway, good)).status, { timeout: 45_000, interval: 100 })
      .toBe(503);
    const policyAt = performance.now();
    expectError(
      await call(`${gateway.url}/health/ready`),
      503,
      'state_unavailable',
      'temporarily_unavailable',
    );
    expectError(await use(gateway, good), 503, 'state_unavailable', 'temporarily_unavailable');
    // What needs no state goes on.
    expect((await call(`${gateway.url}/token`, { method: 'POST' })).status).toBe(200);

    await own.start();
    const backAt = performance.now();
    await expect.poll(ready, { interval: 50 }).toBe(200);
    const readyAt = performance.now();
    expect((await use(gateway, good)).status).toBe(200);
    loading.abort();
    await load;
    // At no time was it silently let through, although Redis has lost its data.
    expect(answers.filter((answer) => answer.revoked === 200)).toEqual([]);
    const early = answers.filter(({ at }) => at < lostAt + 25_000 / SPEED);
    expect(early.filter((answer) => answer.good !== 200)).toEqual([]);
    // This connection may still be waiting to be made again.
    await expect.poll(() => store.listRevocations({ limit: 10 }).catch(() => [])).toHaveLength(1);
    expect(await gauge(gateway, 'signet_state_stale_seconds')).toBe(0);
    figure(
      `Redis lost: 503 after ${(((policyAt - lostAt) * SPEED) / 1000).toFixed(1)} s, ready ${(readyAt - backAt).toFixed(0)} ms after its return; ${answers.length} rounds of load`,
    );
    const errors = gateway
      .log()
      .filter(({ level, msg }) => level === 50 && /State/.test(String(msg)));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThan(4);
    await Promise.all([gateway.stop(), store.close(), own.stop()]);
  }, 120_000);
});
