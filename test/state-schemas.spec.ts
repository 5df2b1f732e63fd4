import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Logger } from '@nestjs/common';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openStore, Revocations, type StateStore } from '../src/state/index.js';
import { SCHEMA } from '../src/state/schema.js';
import { startRedis, withoutRedis } from './helpers/stores/redis.js';
import { tempFolder } from './helpers/run/resources.js';
import { allChanges, revocation } from './helpers/stores/store-contract.js';

// What each version of Signet has left in a store, and has to find there again. A schema that is added gets
// its fixtures here; none is ever changed.

beforeAll(() => Logger.overrideLogger(false));

const fixture = (name: string): string => readFileSync(join('test/fixtures/state', name), 'utf8');

/** A store filled as a version of before does, and another way to its data. */
interface Filled {
  url: string;
  /** Gives the state a number, and an entry, that only a later version writes. */
  writeAsNewer: (schema: number) => Promise<void>;
  schema: () => Promise<number>;
}

const FUTURE = { id: '00000000-0000-4000-8000-00000000000f', kind: 'device', value: 'd' };

function fillSqlite(): Filled {
  const file = join(tempFolder('schema'), 'state.db');
  const withDatabase = <Result>(use: (database: DatabaseSync) => Result): Result => {
    const database = new DatabaseSync(file);
    try {
      return use(database);
    } finally {
      database.close();
    }
  };
  withDatabase((database) => database.exec(fixture('schema-1.sql')));
  return {
    url: `sqlite:${file}`,
    writeAsNewer: async (schema) =>
      withDatabase((database) =>
        database.exec(`
          UPDATE meta SET value = ${schema} WHERE name = 'schema';
          ALTER TABLE revocation ADD COLUMN device TEXT;
          CREATE TABLE device (id TEXT PRIMARY KEY);
          INSERT INTO revocation (id, kind, value, created_at, expires_at, device)
            VALUES ('${FUTURE.id}', '${FUTURE.kind}', '${FUTURE.value}', 1764000009, NULL, 'x');`),
      ),
    schema: async () =>
      withDatabase((database) =>
        Number(database.prepare("SELECT value FROM meta WHERE name = 'schema'").get()?.value),
      ),
  };
}

async function fillRedis(): Promise<Filled> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  for (const command of JSON.parse(fixture('schema-1.redis.json')) as string[][])
    await redis.command(...command);
  return {
    url: redis.url,
    writeAsNewer: async (schema) => {
      await redis.command('SET', 'signet:{state}:schema', String(schema));
      const entry = { ...FUTURE, before: null, createdAt: 0, expiresAt: null, device: 'x' };
      await redis.command('HSET', 'signet:{state}:entries', FUTURE.id, JSON.stringify(entry));
      const version = String(await redis.command('INCR', 'signet:{state}:version'));
      await redis.command('ZADD', 'signet:{state}:log', version, FUTURE.id);
    },
    schema: async () => Number(await redis.command('GET', 'signet:{state}:schema')),
  };
}

async function open(url: string): Promise<StateStore> {
  const store = await openStore(url);
  onTestFinished(() => store.close());
  return store;
}
const use = (id: string, sub?: string) => ({
  id,
  expiresAt: 4_102_444_800,
  subject: {
    names: sub === undefined ? [] : [{ kind: 'sub', value: sub } as const],
    iat: 1_763_999_999,
  },
});

const STORES: [string, () => Filled | Promise<Filled>][] = [
  ['SQLite', fillSqlite],
  ...(withoutRedis ? [] : [['Redis', fillRedis] satisfies [string, () => Promise<Filled>]]),
];

describe.each(STORES)('%s', (_name, fill) => {
  it('finds what version 0.1 left, and numbers it', async () => {
    const { url, schema } = await fill();
    const store = await open(url);
    const { added, removed } = await allChanges(store);
    expect(added).toEqual([
      {
        id: '00000000-0000-4000-8000-000000000001',
        kind: 'sub',
        value: 'u-1',
        before: 1_764_000_000,
        reason: 'left the company',
        createdAt: 1_764_000_000,
        expiresAt: 4_102_444_800,
      },
      {
        id: '00000000-0000-4000-8000-000000000002',
        kind: 'kid',
        value: 'https://gw k1',
        before: null,
        reason: undefined,
        createdAt: 1_764_000_001,
        expiresAt: null,
      },
    ]);
    expect(removed).toMatchObject([{ id: '00000000-0000-4000-8000-000000000003', kind: 'sid' }]);
    expect(await store.peek(use('sha256:used'))).toEqual({ state: 'consumed' });
    expect(await store.peek(use('sha256:replayed'))).toEqual({
      state: 'consumed',
      replay: 'sealed',
    });
    expect(await store.peek(use('sha256:x', 'u-1'))).toEqual({ state: 'revoked' });
    expect(await store.removeRevocation('00000000-0000-4000-8000-000000000001')).toBeDefined();
    expect(await store.peek(use('sha256:x', 'u-1'))).toEqual({ state: 'fresh' });
    expect(await store.noteExpiry(0)).toBe(4_102_444_800);
    expect(await schema()).toBe(SCHEMA);
  });

  it('works after a rollback by one version: what is not known is skipped, counted and kept', async () => {
    const { url, schema, writeAsNewer } = await fill();
    await writeAsNewer(SCHEMA + 1);
    const store = await open(url);
    const revocations = await Revocations.open(store, { longestTokenTtl: 60 });
    expect([revocations.size, revocations.skipped]).toEqual([2, 1]);
    await revocations.revoke({ kind: 'sid', value: 's' });
    expect(await store.consume(use('sha256:rolled-back'))).toEqual({ state: 'fresh' });
    expect(await store.removeRevocation('00000000-0000-4000-8000-000000000001')).toBeDefined();
    await revocations.onApplicationShutdown();
    // The later version comes back to what it left.
    expect(await schema()).toBe(SCHEMA + 1);
    const again = await open(url);
    expect((await allChanges(again)).added).toContainEqual(expect.objectContaining(FUTURE));
  });

  it('is refused where a version wrote that is newer by more', async () => {
    const { url, schema, writeAsNewer } = await fill();
    await writeAsNewer(SCHEMA + 2);
    await expect(openStore(url)).rejects.toThrow(`has schema ${SCHEMA + 2}; this version`);
    expect(await schema()).toBe(SCHEMA + 2);
  });
});

describe('version 0.1', () => {
  it('works with the file that this version has used', async () => {
    const { url } = fillSqlite();
    const store = await openStore(url);
    const entry = revocation();
    await store.addRevocation(entry);
    await store.consume(use('sha256:by-this'), { value: 'sealed', ttlMs: 1000 });
    await store.close();
    const database = new DatabaseSync(url.replace('sqlite:', ''));
    onTestFinished(() => database.close());
    const statements = fixture('schema-1-use.sql')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('--'));
    const results = statements.map((sql) => database.prepare(sql).all());
    // 0.1 refuses every other number.
    expect(results[0]).toEqual([{ value: 1 }]);
    expect(results[3]).toContainEqual(
      expect.objectContaining({ id: entry.id, value: entry.value }),
    );
    const again = await open(url);
    expect(await again.peek(use('sha256:by-0.1'))).toEqual({ state: 'consumed', replay: 'sealed' });
    const values = (await allChanges(again)).added.map(({ value }) => value);
    expect(values).toContain('j-0.1');
  });
});
