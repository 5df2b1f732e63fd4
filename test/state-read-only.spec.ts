import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore, StateReadOnlyException, type StateStore } from '../src/state/index.js';
import { limit } from './helpers/run/faults.js';
import { tempFolder } from './helpers/run/resources.js';
import { allChanges, anyUse, revocation } from './helpers/stores/store-contract.js';

const NOBODY = 65_534;

/** As root every file can be written: then the test goes on as somebody else. */
function dropRoot(folder: string, ...paths: string[]): void {
  if (process.geteuid?.() !== 0) return;
  for (const path of [folder, ...paths]) chownSync(path, NOBODY, NOBODY);
  // Folders on the way may be closed to others.
  const closed: { path: string; mode: number }[] = [];
  for (let path = dirname(folder); path !== dirname(path); path = dirname(path)) {
    const { mode } = statSync(path);
    if ((mode & 0o011) === 0o011) continue;
    closed.push({ path, mode });
    // The group stays root's.
    chmodSync(path, mode | 0o011);
  }
  process.seteuid?.(NOBODY);
  onTestFinished(() => {
    process.seteuid?.(0);
    for (const { path, mode } of closed) chmodSync(path, mode);
  });
}

function copyFolder(from: string, to: string, names: readonly string[]): void {
  mkdirSync(to);
  for (const name of names) copyFileSync(join(from, name), join(to, name));
}

const filesOf = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));

describe('a SQLite file that cannot be written', () => {
  it.each([
    ['closed in order', false],
    ['left by a process that was killed', true],
  ])('is read: %s, and written later', async (_what, killed) => {
    const folder = tempFolder('read-only');
    const file = join(folder, 'state', 'state.db');
    const first = await openStore(`sqlite:${killed ? join(folder, 'live', 'state.db') : file}`);
    const [entry, use] = [revocation(), anyUse()];
    await first.addRevocation(entry);
    await first.consume(use);
    const { cursor } = await allChanges(first);
    const state = join(folder, 'state');
    // What is not in the main file yet stands in its -wal file.
    if (killed) copyFolder(join(folder, 'live'), state, ['state.db', 'state.db-wal']);
    await first.close();
    expect((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0).toBe(killed);
    const files = filesOf(state);
    for (const path of files) chmodSync(path, 0o400);
    chmodSync(state, 0o500);
    dropRoot(folder, state, ...files);

    const store = await openStore(`sqlite:${file}`);
    onTestFinished(() => store.close());
    expect(store.readOnly).toBeDefined();
    expect((await allChanges(store)).added).toEqual([entry]);
    expect(await store.changes(cursor, 10)).toMatchObject({ restarted: false, added: [] });
    expect(await store.listRevocations({ limit: 10 })).toEqual([entry]);
    expect(await store.peek(use)).toEqual({ state: 'consumed' });
    const fresh = anyUse();
    // Questions are answered beside writes that are refused, and at the same time.
    const [refused, seen] = await Promise.allSettled([store.consume(fresh), store.peek(fresh)]);
    expect(refused).toMatchObject({ reason: expect.any(StateReadOnlyException) as unknown });
    expect(seen).toMatchObject({ value: { state: 'fresh' } });
    await expect(store.addRevocation(revocation())).rejects.toThrow(StateReadOnlyException);
    expect(store.readOnly).toBeDefined();

    chmodSync(state, 0o700);
    for (const path of filesOf(state)) chmodSync(path, 0o600);
    await writable(store);
    expect(await store.consume(fresh)).toEqual({ state: 'fresh' });
    const other = await openStore(`sqlite:${file}`);
    onTestFinished(() => other.close());
    // Nothing of before was lost.
    expect((await allChanges(other)).added).toEqual([entry]);
    expect(await other.peek(use)).toEqual({ state: 'consumed' });
    expect(await other.peek(fresh)).toEqual({ state: 'consumed' });
  });
});

const writable = async (store: StateStore): Promise<void> => {
  await expect
    .poll(
      async () => {
        await store.changes(undefined, 1);
        return store.readOnly ?? 'writable';
      },
      { timeout: limit(5000, 20_000), interval: 50 },
    )
    .toBe('writable');
};
