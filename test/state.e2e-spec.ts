import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../src/state/index.js';
import { refuseToBoot, startGateway, type Gateway } from './helpers/gateway.js';
import { call, callWith, expectError, type Answer } from './helpers/http.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/redis.js';
import { revocation } from './helpers/store-contract.js';

let directory: string;
let redis: RedisServer | undefined;
let locked: RedisServer | undefined;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'signet-state-'));
  if (withoutRedis) return;
  redis = await startRedis();
  locked = await startRedis('--requirepass', 'another');
});
afterAll(async () => {
  await Promise.all([redis?.stop(), locked?.stop()]);
  rmSync(directory, { recursive: true });
});

const login = async ({ url }: Gateway): Promise<string> =>
  String((await call(`${url}/token`, { method: 'POST' })).json.access_token);
const use = ({ url }: Gateway, token: string): Promise<Answer> =>
  callWith(`${url}/private/custom`, token);
const gauge = async (gateway: Gateway, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (.*)$`, 'm').exec(await gateway.metrics())?.[1]);

type Unusable = [what: string, url: () => string, reason: RegExp];
const WITH_REDIS: Unusable[] = withoutRedis
  ? []
  : [
      ['a wrong password', () => String(locked?.url.replace('//', '//:s3cret@')), /WRONGPASS/],
      ['no TLS there', () => String(redis?.url.replace('redis:', 'rediss:')), /./],
      ['an unknown database', () => `${redis?.url}/99`, /range/],
    ];

describe('the boot with a state store that cannot be used', () => {
  it.each([
    [
      'a directory that is a file',
      () => `sqlite:${join(directory, 'text', 'x.db')}`,
      /ENOTDIR|EEXIST/,
    ],
    ['a file that is no database', () => `sqlite:${join(directory, 'text')}`, /not a database/],
    ['a file of a newer version', () => `sqlite:${join(directory, 'new.db')}`, /schema 99/],
    ['nobody there', () => 'redis://someone:s3cret@127.0.0.1:1', /ECONNREFUSED/],
    ['a URL that is none', () => 'redis://s3cret@:x', /URL/],
    ...WITH_REDIS,
  ])('is refused: %s', async (_what, url, reason) => {
    writeFileSync(join(directory, 'text'), 'This is a text, and no database. '.repeat(100));
    const newer = new DatabaseSync(join(directory, 'new.db'));
    newer.exec(
      "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID; INSERT OR REPLACE INTO meta VALUES ('schema', 99)",
    );
    newer.close();
    const { code, output } = await refuseToBoot({ STATE_STORE: url() });
    expect(code).toBe(1);
    const lines = output.split('\n').filter((line) => line.startsWith('signet: '));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^signet: STATE_STORE cannot be used: /);
    expect(lines[0]).toMatch(reason);
    expect(output).not.toContain('s3cret');
    expect(output).not.toMatch(/^\s+at /m);
  });

  it.skipIf(withoutRedis)('is refused: a Redis that drops what it should keep', async () => {
    const cache = await startRedis('--maxmemory', '64mb', '--maxmemory-policy', 'volatile-lru');
    const { code, output } = await refuseToBoot({ STATE_STORE: cache.url });
    expect([code, output]).toEqual([1, expect.stringMatching(/volatile-lru.*noeviction/)]);
    await cache.stop();
  });

  it('is refused: memory for several processes', async () => {
    const env = { NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1', WORKERS: '2' };
    const { code, output } = await refuseToBoot({ ...env, STATE_STORE: 'memory:' });
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/STATE_STORE=memory: is one process/),
    ]);
  });
});

describe('revocations of another process', () => {
  it('are seen in at most a second, undo, too', async () => {
    const shared = [`sqlite:${join(directory, 'seen.db')}`, redis?.url];
    for (const url of shared.filter((one) => one !== undefined)) {
      const [gateway, store] = await Promise.all([
        startGateway({ STATE_STORE: url }),
        openStore(url),
      ]);
      const token = await login(gateway);
      expect((await use(gateway, token)).status).toBe(200);
      const entry = revocation({ value: String(decodeJwt(token).jti) });
      await store.addRevocation(entry);
      const began = performance.now();
      await expect.poll(async () => (await use(gateway, token)).status, { interval: 10 }).toBe(401);
      const ms = performance.now() - began;
      expectError(await use(gateway, token), 401, 'token_revoked', 'invalid_token');
      expect(await gauge(gateway, 'signet_revocations')).toBe(1);
      await store.removeRevocation(entry.id);
      await expect.poll(async () => (await use(gateway, token)).status).toBe(200);
      process.stdout.write(`${url.split(':', 1)[0]}: seen after ${ms.toFixed(0)} ms\n`);
      expect(ms).toBeLessThan(3000);
      await Promise.all([gateway.stop(), store.close()]);
    }
  });

  it('survive the gateway, and what it signed keeps them alive', async () => {
    const STATE_STORE = `sqlite:${join(directory, 'again.db')}`;
    const cwd = mkdtempSync(join(directory, 'cwd-'));
    const first = await startGateway({ STATE_STORE }, cwd);
    const token = await login(first);
    const store = await openStore(STATE_STORE);
    const exp = Number(decodeJwt(token).exp);
    await expect.poll(() => store.noteExpiry(0)).toBeGreaterThanOrEqual(exp);
    await store.addRevocation(revocation({ value: String(decodeJwt(token).jti) }));
    first.process.kill('SIGKILL');
    await first.stop();
    const second = await startGateway({ STATE_STORE }, cwd);
    expectError(await use(second, token), 401, 'token_revoked', 'invalid_token');
    await Promise.all([second.stop(), store.close()]);
  });
});

describe.skipIf(withoutRedis)('a Redis that goes away and comes back', () => {
  it('leads to the stated policy: 30 s from the last view, then 503, then recovery', async () => {
    const own = await startRedis();
    const gateway = await startGateway({ STATE_STORE: own.url });
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
        }
      }),
    );
    const ready = async (): Promise<number> => (await call(`${gateway.url}/health/ready`)).status;
    await own.kill();
    const lostAt = performance.now();
    await expect.poll(() => gauge(gateway, 'signet_state_stale_seconds')).toBeGreaterThan(1);
    expect(await ready()).toBe(200);
    await expect.poll(ready, { timeout: 45_000, interval: 200 }).toBe(503);
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
    const early = answers.filter(({ at }) => at < lostAt + 25_000);
    expect(early.filter((answer) => answer.good !== 200)).toEqual([]);
    // This connection may still be waiting to be made again.
    await expect.poll(() => store.listRevocations({ limit: 10 }).catch(() => [])).toHaveLength(1);
    expect(await gauge(gateway, 'signet_state_stale_seconds')).toBe(0);
    process.stdout.write(
      `Redis lost: 503 after ${((policyAt - lostAt) / 1000).toFixed(1)} s, ready ${(readyAt - backAt).toFixed(0)} ms after its return; ${answers.length} rounds of load\n`,
    );
    const errors = gateway
      .log()
      .filter(({ level, msg }) => level === 50 && /State/.test(String(msg)));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThan(4);
    await Promise.all([gateway.stop(), store.close(), own.stop()]);
  }, 120_000);
});
