import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateStore } from '../../../src/state/index.js';
import { sharedStateStoreChecks, stateStoreChecks } from '../../../src/testing/index.js';
import { allChanges, revocation } from '../../../src/testing/state-store-checks.js';

export { allChanges, anyUse, revocation } from '../../../src/testing/state-store-checks.js';

/** Opens a store on the state of the suite; a second call sees the same state, if the store can share it. */
export type OpenStore = () => Promise<StateStore>;

/** Resolves once the store takes writes; says after how many milliseconds. */
export async function untilWritable(store: StateStore): Promise<number> {
  const began = performance.now();
  await expect
    .poll(
      async () => {
        await store.changes(undefined, 1);
        await store.addRevocation(revocation());
        return store.readOnly;
      },
      { timeout: 30_000, interval: 20 },
    )
    .toBeUndefined();
  return performance.now() - began;
}

/** What every implementation of `StateStore` has to do. */
export function describeStore(name: string, open: OpenStore): void {
  describe(`${name}: the contract of StateStore`, () => {
    let store: StateStore;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    it.each(stateStoreChecks.map(({ name: what, run }) => [what, run] as const))(
      '%s',
      async (_what, run) => {
        await expect(run(store)).resolves.toBeUndefined();
      },
    );
  });
}

/** What stores have to do that have a clock of their own. */
export function describeStoreClock(name: string, open: OpenStore): void {
  it(`${name}: a revocation reaches as far as the clock of the store had come before it was set back`, async () => {
    const store = await open();
    const reached = async (): Promise<number> => {
      await store.changes(undefined, 1);
      const { before } = await store.addRevocation(revocation(), 2);
      return (before ?? 0) - (store.clock?.earliest ?? 0);
    };
    const untilNow = await reached();
    // As if it had said so a moment ago.
    const [time, asked] = [store.clock?.earliest ?? 0, performance.now()];
    store.clock?.note(time + 30, asked, asked);
    const untilThere = await reached();
    for (const seconds of [untilNow, untilThere - 30]) {
      expect(seconds).toBeGreaterThan(0.5);
      expect(seconds).toBeLessThan(3);
    }
    await store.close();
  });
}

/** What stores have to do that several processes share. */
export function describeSharedStore(name: string, open: OpenStore): void {
  describe(`${name}: shared`, () => {
    let one: StateStore;
    let other: StateStore;
    beforeAll(async () => {
      [one, other] = await Promise.all([open(), open()]);
    });
    afterAll(() => Promise.all([one.close(), other.close()]));

    it.each(sharedStateStoreChecks.map(({ name: what, run }) => [what, run] as const))(
      '%s',
      async (_what, run) => {
        await expect(run(one, other)).resolves.toBeUndefined();
      },
    );

    // By what is known of our own cursors.
    it('begins at the beginning for who comes from another history', async () => {
      const { cursor } = await allChanges(one);
      const foreign = cursor.replace(/^[\da-f]/, (digit) => (digit === '0' ? '1' : '0'));
      const changes = await allChanges(one, foreign);
      expect(await one.changes(foreign, 1)).toMatchObject({ restarted: true });
      expect(changes.added).toEqual((await allChanges(one)).added);
      // The same history, but put back to an earlier state.
      const ahead = cursor.replace(/\d+$/, (version) => String(Number(version) + 1));
      expect(await one.changes(ahead, 1)).toMatchObject({ restarted: true });
    });
  });
}
