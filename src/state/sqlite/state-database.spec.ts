import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deadFrom } from '../../core/revocation/index.js';
import { KEEP_SECONDS } from '../forgetting.js';
import { MemoryStore } from '../memory/memory.store.js';
import type { RefreshUse } from '../state-store.js';
import { StateDatabase } from './state-database.js';

const EXP = 1_800_000_000;
const LEEWAY = 3600;
const USE: RefreshUse = { id: 'sha256:x', expiresAt: deadFrom(EXP), subject: { names: [] } };
const REVOKED: RefreshUse = {
  ...USE,
  id: 'sha256:y',
  subject: { names: [{ kind: 'jti', value: 'sha256:y' }] },
};
const REVOCATION = {
  id: '00000000-0000-4000-8000-000000000001',
  kind: 'jti',
  value: 'sha256:y',
  before: null,
  createdAt: EXP - 600,
  expiresAt: deadFrom(EXP),
} as const;

/** Sets both clocks: the wall clock, and the monotonic one by which stores time their purges. */
const setClock = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: seconds * 1000 });
  vi.spyOn(performance, 'now').mockReturnValue(seconds * 1000);
};
const directory = mkdtempSync(join(tmpdir(), 'signet-'));
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

const POINTS = [
  ['before exp', EXP - 60],
  ['at exp', EXP],
  ['within leeway', EXP + 60],
  ['at the end of the longest leeway', EXP + LEEWAY - 1],
] as const;

describe('what was used or revoked, while the store forgets what it may', () => {
  it('SQLite keeps it as long as anybody would accept the token', () => {
    setClock(EXP - 600);
    const database = new StateDatabase(join(directory, 'state', 's.db'));
    database.consume(USE, undefined);
    database.addRevocation(REVOCATION);
    for (const [point, seconds] of POINTS) {
      setClock(seconds);
      database.purge(seconds);
      expect([point, database.peek(USE).state, database.peek(REVOKED).state]).toEqual([
        point,
        'consumed',
        'revoked',
      ]);
    }
    setClock(EXP + LEEWAY + 1);
    database.purge(EXP + LEEWAY + 1);
    expect([database.peek(USE).state, database.peek(REVOKED).state]).toEqual(['fresh', 'fresh']);
    expect(database.changes(undefined, 10).added).toEqual([]);
    database.database.close();
  });

  it("SQLite takes back a use of one request, and nobody else's", () => {
    const database = new StateDatabase(join(directory, 'state', 'release.db'));
    const use = { ...USE, nonce: 'n1' };
    database.consume(use, { value: 'r', ttlMs: 1000 });
    database.release({ ...use, nonce: 'n2' });
    database.release(USE);
    expect(database.peek(USE).state).toBe('consumed');
    database.release(use);
    expect(database.peek(USE).state).toBe('fresh');
    database.database.close();
  });

  it('SQLite deletes it piece by piece', () => {
    const database = new StateDatabase(join(directory, 'state', 'pieces.db'));
    const count = 4500;
    for (let index = 0; index < count; index++)
      database.consume({ ...USE, id: `u${index}`, expiresAt: index }, undefined);
    const left = (): unknown =>
      database.database.prepare('SELECT count(*) AS n FROM consumed').get();
    const sizes: unknown[] = [];
    while (database.purge(count)) sizes.push(left());
    expect([...sizes, left()]).toEqual([{ n: 2500 }, { n: 500 }, { n: 0 }]);
    database.database.close();
  });

  it('SQLite takes over a file of version 0.1, and leaves it so that 0.1 can', () => {
    const file = join(directory, 'state', 'old.db');
    mkdirSync(join(directory, 'state'), { recursive: true });
    const old = new DatabaseSync(file);
    old.exec(`CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
      INSERT INTO meta VALUES ('schema', 1), ('history', 'h');
      CREATE TABLE consumed (jti TEXT PRIMARY KEY, expires_at REAL NOT NULL, replay TEXT, replay_until REAL) WITHOUT ROWID;
      INSERT INTO consumed VALUES ('old', 4e9, NULL, NULL)`);
    const database = new StateDatabase(file);
    expect(database.peek({ ...USE, id: 'old', nonce: 'n' }).state).toBe('consumed');
    expect(database.consume({ ...USE, nonce: 'n' }, undefined).state).toBe('fresh');
    expect(old.prepare("SELECT value FROM meta WHERE name = 'schema'").get()).toEqual({ value: 1 });
    old.exec(
      "INSERT INTO consumed (jti, expires_at, replay, replay_until) VALUES ('older', 4e9, NULL, NULL)",
    );
    expect(database.peek({ ...USE, id: 'older' }).state).toBe('consumed');
    old.close();
    database.database.close();
  });

  it.each([
    ['20 days forward', 20 * 86_400],
    ['20 days back', -20 * 86_400],
  ])('memory forgets nothing when the clock jumps %s, and back', async (_what, seconds) => {
    setClock(EXP);
    const store = new MemoryStore();
    const forget = (round: number): Promise<unknown> => store.putIfAbsent(`round ${round}`, '', 1);
    // The store runs long enough for purges to be allowed.
    for (let minute = 1; minute < 20; minute++) {
      setClock(EXP + minute * 60);
      await forget(minute);
    }
    const use = { ...USE, expiresAt: EXP + 7200 };
    await store.consume(use);
    await store.addRevocation({ ...REVOCATION, expiresAt: EXP + 7200 });
    for (const minute of [20, 22, 24]) {
      setClock(EXP + minute * 60);
      vi.setSystemTime((EXP + minute * 60 + (minute === 24 ? 0 : seconds)) * 1000);
      await forget(minute);
    }
    const states = [(await store.peek(use)).state, (await store.peek(REVOKED)).state];
    expect(states).toEqual(['consumed', 'revoked']);
  });

  it('memory, too', async () => {
    setClock(EXP - 600);
    const store = new MemoryStore();
    await store.consume(USE);
    await store.addRevocation(REVOCATION);
    // Each change of the store may be one at which it forgets.
    const forget = (round: number): Promise<unknown> => store.putIfAbsent(`round ${round}`, '', 1);
    for (const [index, [point, seconds]] of POINTS.entries()) {
      setClock(seconds);
      await forget(index);
      const states = [(await store.peek(USE)).state, (await store.peek(REVOKED)).state];
      expect([point, ...states]).toEqual([point, 'consumed', 'revoked']);
    }
    // It looks once a minute.
    setClock(EXP + LEEWAY + KEEP_SECONDS + 60);
    await forget(9);
    const states = [(await store.peek(USE)).state, (await store.peek(REVOKED)).state];
    expect(states).toEqual(['fresh', 'fresh']);
  });
});
