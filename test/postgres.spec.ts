import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  openStore,
  StateReadOnlyException,
  StateUnavailableException,
  type Revocation,
  type StateStore,
} from '../src/state/index.js';
import { Forgetting } from '../src/state/forgetting.js';
import {
  PASSWORD,
  startPostgres,
  withoutPostgres,
  type PostgresServer,
} from './helpers/stores/postgres.js';
import {
  describeSharedStore,
  describeStore,
  describeStoreClock,
  anyUse,
  revocation,
} from './helpers/stores/store-contract.js';

describe.skipIf(withoutPostgres)('a PostgreSQL server', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  describeStore('PostgreSQL', () => openStore(postgres.url));
  describeSharedStore('PostgreSQL', () => openStore(postgres.url));
  describeStoreClock('PostgreSQL', () => openStore(postgres.url));

  /** A store in a schema of its own. */
  const schema = (): string => `s${randomUUID().replaceAll('-', '')}`;
  async function open(name = schema()): Promise<StateStore> {
    const store = await openStore(`${postgres.url}?schema=${name}`);
    onTestFinished(() => store.close());
    return store;
  }
  const reasonOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'done',
      (error: unknown) =>
        error instanceof StateUnavailableException
          ? (error.details.explanation ?? '')
          : String(error),
    );

  it('is prepared once by twelve gateways that start at the same time', async () => {
    const name = schema();
    const stores = await Promise.all(Array.from({ length: 12 }, () => open(name)));
    const entry = revocation();
    await stores[0]?.addRevocation(entry);
    for (const store of stores) expect((await store.changes(undefined, 10)).added).toEqual([entry]);
    expect(await postgres.sql(`SELECT version FROM ${name}.migration`)).toEqual([{ version: 1 }]);
  });

  it('refuses a schema that is newer by more than one version, and writes nothing into it', async () => {
    const name = schema();
    await open(name);
    await postgres.sql(`INSERT INTO ${name}.migration VALUES (2)`);
    await open(name);
    await postgres.sql(`INSERT INTO ${name}.migration VALUES (99)`);
    await expect(open(name)).rejects.toThrow(/schema 99/);
    expect(await postgres.sql(`SELECT version FROM ${name}.migration ORDER BY 1`)).toHaveLength(3);
  });

  it('needs no right to create anything where the tables are there', async () => {
    const name = schema();
    const store = await open(name);
    await store.addRevocation(revocation());
    const role = `r${name}`;
    await postgres.sql(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}';
      GRANT USAGE ON SCHEMA ${name} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${name} TO ${role}`);
    const url = `${postgres.url.replace('postgres:s', `${role}:s`)}?schema=${name}`;
    const other = await openStore(url);
    onTestFinished(() => other.close());
    await other.addRevocation(revocation());
    expect((await other.changes(undefined, 10)).added).toHaveLength(2);
    expect(await other.consume(anyUse())).toEqual({ state: 'fresh' });
    // Without the right to write it is read.
    await postgres.sql(
      `REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${name} FROM ${role}`,
    );
    await expect(other.consume(anyUse())).rejects.toThrow(StateReadOnlyException);
    expect(other.readOnly).toMatch(/permission denied/);
    expect(await other.peek(anyUse())).toEqual({ state: 'fresh' });
  });

  it('keeps two schemas of a database apart', async () => {
    const [one, other] = await Promise.all([open(), open()]);
    await one.addRevocation(revocation());
    expect(await other.listRevocations({ limit: 10 })).toEqual([]);
    expect(one.description).toMatch(/^postgres:\/\/127\.0\.0\.1:\d+\/postgres\?schema=s/);
  });

  it.each([
    ['a wrong password', (url: string) => url.replace(PASSWORD, `${PASSWORD}x`), /authentication/],
    ['no password', (url: string) => url.replace(`:${PASSWORD}`, ''), /password/],
    ['no such database', (url: string) => `${url}x`, /"postgresx" does not exist/],
    ['no TLS there', (url: string) => `${url}?sslmode=require`, /does not support SSL/],
    [
      'nobody there',
      () => `postgres://me:${PASSWORD}@127.0.0.1:1/x`,
      /ECONNREFUSED 127\.0\.0\.1:1/,
    ],
  ])('does not open with %s', async (_what, change, reason) => {
    const message = await reasonOf(openStore(change(postgres.url)));
    expect(message).toMatch(reason);
    expect(message).not.toContain(PASSWORD);
  });

  it('wakes up who follows it', async () => {
    const name = schema();
    const [one, other] = await Promise.all([open(name), open(name)]);
    let hints = 0;
    other.watch?.(() => hints++);
    await other.changes(undefined, 10);
    const entry = revocation();
    await one.addRevocation(entry);
    await expect.poll(() => hints, { interval: 5 }).toBe(1);
    await one.removeRevocation(entry.id);
    await expect.poll(() => hints, { interval: 5 }).toBe(2);
    await one.consume(anyUse());
    expect(hints).toBe(2);
  });

  it('goes on with other connections when its own are ended', async () => {
    const store = await open();
    let hints = 0;
    store.watch?.(() => hints++);
    await Promise.all(Array.from({ length: 9 }, () => store.consume(anyUse())));
    for (let round = 0; round < 3; round++) {
      await postgres.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signet'",
      );
      await expect.poll(() => reasonOf(store.changes(undefined, 10)), { interval: 5 }).toBe('done');
      await expect.poll(() => reasonOf(store.consume(anyUse())), { interval: 5 }).toBe('done');
    }
    // It listens again, too.
    hints = 0;
    await store.addRevocation(revocation());
    await expect.poll(() => hints, { interval: 5 }).toBe(1);
  });

  it('has at most four connections, whatever is asked for', async () => {
    const store = await open();
    await Promise.all([
      ...Array.from({ length: 200 }, () => store.consume(anyUse())),
      ...Array.from({ length: 200 }, () => store.hit(randomUUID(), 1000)).map((hit) =>
        hit.catch(() => undefined),
      ),
      store.changes(undefined, 10),
    ]);
    const [row] = await postgres.sql(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'signet'",
    );
    // Those of the suites have been closed.
    expect(Number(row?.count)).toBeLessThanOrEqual(4);
  });

  it('gives up what is held up, and nothing of that happens later', async () => {
    const name = schema();
    const store = await open(name);
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(`BEGIN; SELECT FROM ${name}.state FOR UPDATE; LOCK TABLE ${name}.consumed`);
    const began = performance.now();
    const use = { ...anyUse(), nonce: randomUUID() };
    const held = await Promise.all([
      reasonOf(store.addRevocation(revocation())),
      reasonOf(store.consume(use, { value: 'x', ttlMs: 1000 })),
    ]);
    for (const reason of held) expect(reason).toMatch(/statement timeout|no answer within/);
    expect(performance.now() - began).toBeLessThan(10_000);
    // It is read meanwhile.
    expect((await store.changes(undefined, 10)).added).toEqual([]);
    await client.query('ROLLBACK');
    await client.end();
    expect((await store.changes(undefined, 10)).added).toEqual([]);
    expect(await store.consume({ ...use, nonce: randomUUID() })).toEqual({ state: 'fresh' });
  });

  it('REFRESH_RETRY_WINDOW=0: a client that repeats a second after its 503 gets the answer that was lost', async () => {
    const name = schema();
    const store = await open(name);
    const clock = 'extract(epoch FROM clock_timestamp())';
    await postgres.sql(`
      INSERT INTO ${name}.consumed VALUES ('lost', 'n', 1e12, ${clock} - 1, 'x', 0),
        ('under way', 'n', 1e12, ${clock} + 60, 'x', 0)`);
    const told = (id: string) => store.consume({ ...anyUse(), id, nonce: randomUUID() });
    expect(await told('lost')).toEqual({ state: 'consumed', replay: 'x' });
    expect(await told('under way')).toEqual({ state: 'consumed' });
  });

  it('is read while it takes no writes, and written as soon as it does', async () => {
    const name = schema();
    const store = await open(name);
    const entry = revocation();
    await store.addRevocation(entry);
    const { cursor } = await store.changes(undefined, 10);
    await postgres.sql('ALTER SYSTEM SET default_transaction_read_only = on');
    await postgres.sql('SELECT pg_reload_conf()');
    await expect
      .poll(async () => {
        await store.changes(cursor, 10);
        return store.readOnly;
      })
      .toBe('its transactions are read-only');
    for (const write of [
      () => store.addRevocation(revocation()),
      () => store.removeRevocation(entry.id),
      () => store.restore([]),
      () => store.consume(anyUse()),
      () => store.noteExpiry(5_000_000_000),
      () => store.putIfAbsent('n', 'v', 1000),
      () => store.hit('n', 1000),
    ])
      await expect(write()).rejects.toThrow(StateReadOnlyException);
    expect((await store.changes(undefined, 10)).added).toEqual([entry]);
    expect(await store.listRevocations({ limit: 10 })).toEqual([entry]);
    expect(await store.peek(anyUse({}, entry.value))).toEqual({ state: 'revoked' });
    expect(await store.getKept('n')).toBeUndefined();
    expect(await store.noteExpiry(0)).toBe(0);
    // A gateway that starts meanwhile can read as well.
    const other = await open(name);
    expect((await other.changes(undefined, 10)).added).toEqual([entry]);
    expect(other.readOnly).toBe('its transactions are read-only');

    await postgres.sql('ALTER SYSTEM RESET default_transaction_read_only');
    await postgres.sql('SELECT pg_reload_conf()');
    for (const one of [store, other])
      await expect
        .poll(async () => {
          await one.changes(cursor, 10);
          return one.readOnly;
        })
        .toBeUndefined();
    expect(await store.consume(anyUse())).toEqual({ state: 'fresh' });
  });

  it('begins a new history when its tables were dropped', async () => {
    const name = schema();
    const store = await open(name);
    await store.addRevocation(revocation());
    const { cursor } = await store.changes(undefined, 10);
    await postgres.sql(`DROP SCHEMA ${name} CASCADE`);
    // Refused on a connection that knew them; another one may have been made meanwhile.
    const changes = await store.changes(cursor, 10).catch((error: unknown) => {
      if (!(error instanceof StateUnavailableException)) throw error;
      return store.changes(cursor, 10);
    });
    expect(changes).toMatchObject({ restarted: true, added: [] });
    const entry = revocation();
    await store.addRevocation(entry);
    expect(await store.listRevocations({ limit: 10 })).toEqual([entry]);
  });

  it('notices that it lost the end of its history, although its versions were given again', async () => {
    const name = schema();
    const store = await open(name);
    const [kept, lost, ...others] = [1, 2, 3, 4, 5].map(() => revocation()) as [
      Revocation,
      Revocation,
      ...Revocation[],
    ];
    await store.addRevocation(kept);
    const before = await store.changes(undefined, 10);
    await store.addRevocation(lost);
    const { cursor } = await store.changes(before.cursor, 10);
    // What a failover to a standby that was behind does.
    await postgres.sql(`DELETE FROM ${name}.revocation WHERE id = '${lost.id}'`);
    await postgres.sql(`UPDATE ${name}.state SET version = version - 1`);
    expect(await store.changes(cursor, 10)).toMatchObject({ restarted: true, added: [kept] });
    for (const entry of others) {
      await store.addRevocation(entry);
      expect(await store.changes(cursor, 10)).toMatchObject({ restarted: true });
    }
    expect(await store.changes(before.cursor, 10)).toMatchObject({
      restarted: false,
      added: others,
    });
    // Undone, an entry is known all the same.
    const last = await store.changes(undefined, 10);
    await store.removeRevocation(others.at(-1)?.id ?? '');
    expect(await store.changes(last.cursor, 10)).toMatchObject({ restarted: false, added: [] });
  });

  it('deletes what has expired in pieces, but for the last revocation', async () => {
    const name = schema();
    const store = await open(name);
    await postgres.sql(`
      INSERT INTO ${name}.revocation (version, id, kind, value, created_at, expires_at)
        SELECT n, n::text, 'jti', n::text, 0, 1000 FROM generate_series(1, 4500) AS n;
      UPDATE ${name}.state SET version = 4500;
      INSERT INTO ${name}.consumed SELECT n::text, '', 1000, NULL, NULL, 0 FROM generate_series(1, 4500) AS n;
      INSERT INTO ${name}.consumed VALUES ('settled', '', 1e12, NULL, 'x', 0), ('unknown', '', 1e12,
        extract(epoch FROM now()), 'x', 0);
      INSERT INTO ${name}.kept VALUES ('a', 'x', 1000), ('b', 'x', 1e12);
      INSERT INTO ${name}.counter VALUES ('a', 1, 1000), ('b', 1, 1e12)`);
    const count = async (table: string): Promise<number> =>
      Number((await postgres.sql(`SELECT count(*) AS n FROM ${name}.${table}`))[0]?.n);
    await store.changes(undefined, 1);
    // Within minutes of the start, clocks may be wrong: only what is short-lived goes.
    await expect.poll(() => count('kept')).toBe(1);
    await expect.poll(() => count('counter')).toBe(1);
    expect(
      await postgres.sql(
        `SELECT id, replay FROM ${name}.consumed WHERE length(id) > 5 ORDER BY id`,
      ),
    ).toEqual([
      { id: 'settled', replay: null },
      { id: 'unknown', replay: 'x' },
    ]);
    expect(await count('revocation')).toBe(4500);

    const horizon = vi.spyOn(Forgetting.prototype, 'horizon', 'get');
    onTestFinished(() => horizon.mockRestore());
    horizon.mockReturnValue(Date.now() / 1000);
    const other = await open(name);
    const seen = new Set<number>();
    await expect
      .poll(
        async () => {
          const { cursor } = await other.changes(undefined, 1);
          expect((await other.changes(cursor, 1)).restarted).toBe(false);
          const left = await count('revocation');
          seen.add(left);
          return left;
        },
        { interval: 10 },
      )
      .toBe(1);
    expect(await store.listRevocations({ limit: 10 })).toEqual([]);
    await expect.poll(() => count('consumed')).toBe(2);
    expect([...seen].every((left) => [4500, 2500, 500, 1].includes(left))).toBe(true);
  });

  it('refuses a database that cannot hold every text', async () => {
    await postgres.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    const message = await reasonOf(openStore(postgres.url.replace(/postgres$/, 'latin')));
    expect(message).toMatch(/LATIN1; UTF8 is needed/);
  });

  it('takes values of any length and with every character', async () => {
    const store = await open();
    const value = '\\0\\\0"\'%_{},NULL\u{10FFFF}'.repeat(2000);
    const use = { ...anyUse({ sub: value }), nonce: randomUUID() };
    await store.consume(use, { value, ttlMs: 60_000 });
    expect(await store.peek({ ...use, nonce: undefined })).toEqual({
      state: 'consumed',
      replay: value,
    });
    const entry = revocation({ kind: 'sub', value, reason: value });
    expect(await store.addRevocation(entry)).toEqual(entry);
    expect((await store.changes(undefined, 10)).added).toEqual([entry]);
    expect(await store.peek(use)).toEqual({ state: 'revoked' });
    expect(await store.putIfAbsent(value, value, 60_000)).toBe(value);
    expect(await store.hit(value, 60_000)).toMatchObject({ hits: 1 });
    expect(await store.removeRevocation('\0')).toBeUndefined();
    expect(await store.removeRevocation(entry.id)).toEqual(entry);
  });

  it('is a package of its own that others need not install', () => {
    const { dependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    ) as { dependencies: object; peerDependenciesMeta: Record<string, { optional?: boolean }> };
    expect(dependencies).not.toHaveProperty('pg');
    expect(peerDependenciesMeta.pg).toEqual({ optional: true });
  });
});
