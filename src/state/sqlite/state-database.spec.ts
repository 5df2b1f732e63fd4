import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deadFrom } from '../../core/revocation/index.js';
import { KEEP_SECONDS } from '../forgetting.js';
import { MemoryStore } from '../memory.store.js';
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

/** Both clocks: that of the day, and that of the rounds in which stores forget. */
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
