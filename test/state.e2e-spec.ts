import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../src/state/index.js';
import { figure } from './helpers/run/figure.js';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { hostGateway, refuseInHost } from './helpers/gateway/host.js';
import { limit } from './helpers/run/faults.js';
import { call, callWith, expectError, type Answer } from './helpers/network/http.js';
import { startPostgres, withoutPostgres, type PostgresServer } from './helpers/stores/postgres.js';
import { startRedis, withoutRedis, type RedisServer } from './helpers/stores/redis.js';
import { revocation } from './helpers/stores/store-contract.js';
import { kill, tempFolder } from './helpers/run/resources.js';

let directory: string;
let redis: RedisServer | undefined;
let postgres: PostgresServer | undefined;
let locked: RedisServer | undefined;
beforeAll(async () => {
  directory = tempFolder('state');
  if (!withoutPostgres) postgres = await startPostgres();
  if (withoutRedis) return;
  redis = await startRedis();
  locked = await startRedis('--requirepass', 'another');
});
afterAll(() => Promise.all([redis?.stop(), locked?.stop(), postgres?.stop()]));

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
    ['a folder where none can be created', () => 'sqlite:/proc/none/x.db', /ENOENT|EACCES|EROFS/],
    ['a file that is no database', () => `sqlite:${join(directory, 'text')}`, /not a database/],
    ['a file of a newer version', () => `sqlite:${join(directory, 'new.db')}`, /schema 99/],
    ['nobody there', () => 'redis://someone:s3cret@127.0.0.1:1', /ECONNREFUSED/],
    ['a URL that is none', () => 'redis://s3cret@:x', /URL/],
    ['no PostgreSQL there', () => 'postgres://someone:s3cret@127.0.0.1:1/x', /ECONNREFUSED/],
    ['a URL of PostgreSQL that is none', () => 'postgres://x:s3cret#y@db', /%23/],
    ...WITH_REDIS,
  ])('is refused: %s', async (_what, url, reason) => {
    writeFileSync(join(directory, 'text'), 'This is a text, and no database. '.repeat(100));
    const newer = new DatabaseSync(join(directory, 'new.db'));
    newer.exec(
      "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID; INSERT OR REPLACE INTO meta VALUES ('schema', 99)",
    );
    newer.close();
    const { lines, output } = await refuseInHost({ STATE_STORE: url() });
    expect(lines).toEqual([expect.stringMatching(/^STATE_STORE cannot be used: /)]);
    expect(lines[0]).toMatch(reason);
    expect(output).not.toContain('s3cret');
    expect(output).not.toMatch(/^\s+at /m);
  });

  /** What people write who do not encode a password; src/state/redis/redis-url.spec.ts has more. */
  const RAW = ['#', '/', '?', '@', '%', ':'].map((between) => `12${between}s3cret${between}hunter`);
  const SHAPES: readonly ((password: string) => string)[] = [
    (password) => `redis://:${password}@127.0.0.1:1`,
    (password) => `redis://user:${password}@127.0.0.1:1/0`,
    (password) => `rediss://:${password}@localhost:1`,
    (password) => `redis+sentinel://:${password}@127.0.0.1:1/main`,
    (password) => `redis+sentinel://127.0.0.1:1/main?sentinel_password=${password}`,
    (password) => `redis+cluster://:${password}@127.0.0.1:1`,
    (password) => `postgres://user:${password}@127.0.0.1:1/db`,
    (password) => `redis://user:${password}`,
    (password) => `redis:${password}`,
  ];

  it.each(SHAPES.map((shape) => [shape('PASSWORD'), shape] as const))(
    'tells no part of a password: %s',
    async (_name, shape) => {
      for (const password of RAW) {
        const { lines, output } = await refuseInHost({ STATE_STORE: shape(password) });
        expect([password, lines]).toEqual([password, [expect.stringMatching(/^STATE_STORE /)]]);
        expect(output).not.toMatch(/s3cret|hunter/);
      }
    },
  );

  it.skipIf(withoutRedis)('is refused: a Redis that drops what it should keep', async () => {
    const cache = await startRedis('--maxmemory', '64mb', '--maxmemory-policy', 'volatile-lru');
    const { lines } = await refuseInHost({ STATE_STORE: cache.url });
    expect(lines).toEqual([expect.stringMatching(/volatile-lru.*noeviction/)]);
    await cache.stop();
  });

  it('is refused: memory for several processes', async () => {
    const env = { NODE_ENV: 'production', BACKEND_HOST: 'http://127.0.0.1:1', WORKERS: '2' };
    const { lines } = await refuseInHost({ ...env, STATE_STORE: 'memory:' });
    expect(lines).toEqual([expect.stringMatching(/STATE_STORE=memory: is one process/)]);
  });
});

describe('revocations of another process', () => {
  it('are seen in at most a second, undo, too', async () => {
    const shared = [`sqlite:${join(directory, 'seen.db')}`, redis?.url, postgres?.url];
    for (const url of shared.filter((one) => one !== undefined)) {
      const [gateway, store] = await Promise.all([
        hostGateway({ STATE_STORE: url }),
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
      figure(`${url.split(':', 1)[0]}: seen after ${ms.toFixed(0)} ms (criterion 1000)`);
      expect(ms).toBeLessThan(limit(1100, 10_000));
      await Promise.all([gateway.stop(), store.close()]);
    }
  });

  it('survive the gateway, and what it signed keeps them alive', async () => {
    const STATE_STORE = `sqlite:${join(directory, 'again.db')}`;
    const first = await startGateway({ STATE_STORE });
    const token = await login(first);
    const store = await openStore(STATE_STORE);
    const exp = Number(decodeJwt(token).exp);
    await expect.poll(() => store.noteExpiry(0)).toBeGreaterThanOrEqual(exp);
    await store.addRevocation(revocation({ value: String(decodeJwt(token).jti) }));
    await kill(first.process);
    const second = await hostGateway({ STATE_STORE }, first.cwd);
    expectError(await use(second, token), 401, 'token_revoked', 'invalid_token');
    await Promise.all([second.stop(), store.close()]);
  });
});
