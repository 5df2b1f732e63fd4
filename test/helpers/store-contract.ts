import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadFrom } from '../../src/core/revocation/index.js';
import type {
  RefreshUse,
  Revocation,
  RevocationChanges,
  RevocationKind,
  SessionRecord,
  StateStore,
} from '../../src/state/index.js';

/** Opens a store on the state of the suite; a second call sees the same state, if the store can share it. */
export type OpenStore = () => Promise<StateStore>;

const now = (): number => Math.floor(Date.now() / 1000);

export const revocation = (changes: Partial<Revocation> = {}): Revocation => ({
  id: randomUUID(),
  kind: 'jti',
  value: randomUUID(),
  before: null,
  reason: undefined,
  createdAt: now(),
  expiresAt: now() + 3600,
  ...changes,
});

/** The use of a token with these claims. */
export function refreshUse(
  { iat, ...claims }: Partial<Record<RevocationKind, string>> & { iat?: number } = {},
  id: string = randomUUID(),
): RefreshUse {
  const names = Object.entries({ jti: id, ...claims }).map(([kind, value]) => ({
    kind: kind as RevocationKind,
    value,
  }));
  return { id, expiresAt: now() + 3600, subject: { names, iat } };
}

export const session = (changes: Partial<SessionRecord> = {}): SessionRecord => ({
  sid: randomUUID(),
  createdAt: now(),
  usedAt: now(),
  expiresAt: now() + 3600,
  ...changes,
});

/** Everything since a cursor, page by page. */
export async function allChanges(
  store: StateStore,
  cursor?: string,
  limit = 100,
): Promise<RevocationChanges> {
  const page = await store.changes(cursor, limit);
  if (!page.more) return page;
  const rest = await allChanges(store, page.cursor, limit);
  return {
    ...rest,
    added: [...page.added, ...rest.added],
    removed: [...page.removed, ...rest.removed],
  };
}

const ids = (list: readonly { id: string }[]): string[] => list.map(({ id }) => id);

/** What every implementation of `StateStore` has to do. */
export function describeStore(name: string, open: OpenStore): void {
  describe(`${name}: the contract of StateStore`, () => {
    let store: StateStore;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    const cursorNow = async (): Promise<string> => (await allChanges(store)).cursor;

    it('tells of revocations as they were added, in order, once each', async () => {
      const start = await cursorNow();
      const entries = [
        revocation(),
        revocation({ kind: 'sub', value: 'ä\n"\'\0x', before: now() + 1, reason: 'why – 理由' }),
        revocation({ kind: 'sid', value: '' }),
        revocation({ kind: 'kid', value: '9007199254740993', expiresAt: null }),
      ];
      for (const entry of entries) await store.addRevocation(entry);
      await store.addRevocation(entries[1] as Revocation);
      const { added, removed, restarted, more, cursor } = await store.changes(start, 100);
      expect(added).toEqual(entries);
      expect([removed, restarted, more]).toEqual([[], false, false]);
      expect(await store.changes(cursor, 100)).toEqual({
        added: [],
        removed: [],
        restarted: false,
        more: false,
        cursor,
      });
    });

    it('tells of them page by page', async () => {
      const start = await cursorNow();
      const entries = Array.from({ length: 7 }, () => revocation());
      for (const entry of entries) await store.addRevocation(entry);
      const page = await store.changes(start, 3);
      expect([ids(page.added), page.more]).toEqual([ids(entries.slice(0, 3)), true]);
      expect(ids((await allChanges(store, start, 2)).added)).toEqual(ids(entries));
      const exact = await store.changes(start, 7);
      expect([exact.added.length, exact.more]).toEqual([7, false]);
    });

    it('tells everything to who has no cursor', async () => {
      const entry = revocation();
      await store.addRevocation(entry);
      expect(ids((await allChanges(store)).added)).toContain(entry.id);
    });

    it('undoes, once, and tells of it', async () => {
      const [kept, undone] = [revocation({ value: 'same' }), revocation({ value: 'same' })];
      await store.addRevocation(kept);
      await store.addRevocation(undone);
      const between = await cursorNow();
      expect(await store.removeRevocation(undone.id)).toEqual(undone);
      expect(await store.removeRevocation(undone.id)).toBeUndefined();
      expect(await store.removeRevocation(randomUUID())).toBeUndefined();
      const { added, removed } = await store.changes(between, 100);
      expect(added).toEqual([]);
      expect(removed).toMatchObject([{ id: undone.id, kind: 'jti', value: 'same' }]);
      // Undone is undone, whoever still adds it; the other entry of that value stays.
      await store.addRevocation(undone);
      expect(ids((await allChanges(store)).added)).not.toContain(undone.id);
      expect(await store.peek(refreshUse({}, 'same'))).toEqual({ state: 'revoked' });
    });

    it('lists what is in force, the oldest first, page by page', async () => {
      const known = await store.listRevocations({ limit: 1000 });
      const entries = Array.from({ length: 5 }, () => revocation());
      for (const entry of entries) await store.addRevocation(entry);
      await store.addRevocation(revocation({ expiresAt: now() - 1 }));
      const after = known.at(-1)?.id;
      const first = await store.listRevocations({ after, limit: 2 });
      expect(first).toEqual(entries.slice(0, 2));
      // Where the page before ended has been undone meanwhile.
      await store.removeRevocation(entries[1]?.id ?? '');
      const rest = await store.listRevocations({ after: entries[1]?.id, limit: 100 });
      expect(rest).toEqual(entries.slice(2));
      expect(await store.listRevocations({ limit: 1000 })).toHaveLength(known.length + 4);
      expect(await store.listRevocations({ after: entries[4]?.id, limit: 2 })).toEqual([]);
    });

    it('consumes once', async () => {
      const use = refreshUse();
      expect(await store.peek(use)).toEqual({ state: 'fresh' });
      expect(await store.peek(use)).toEqual({ state: 'fresh' });
      expect(await store.consume(use)).toEqual({ state: 'fresh' });
      expect(await store.consume(use)).toEqual({ state: 'consumed' });
      expect(await store.peek(use)).toEqual({ state: 'consumed' });
    });

    it('consumes once, of fifty at the same time', async () => {
      const use = refreshUse();
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.consume(use)));
      expect(outcomes.filter(({ state }) => state === 'fresh')).toHaveLength(1);
      expect(outcomes.filter(({ state }) => state === 'consumed')).toHaveLength(49);
    });

    it('leaves the replay of the first use to the others, while its time lasts', async () => {
      const use = refreshUse();
      const until = Date.now() + 300;
      await store.consume(use, { value: 'the answer – ä', ttlMs: 300 });
      expect(await store.consume(use, { value: 'another', ttlMs: 10_000 })).toEqual({
        state: 'consumed',
        replay: 'the answer – ä',
      });
      await expect.poll(() => store.peek(use), { interval: 20 }).toEqual({ state: 'consumed' });
      expect(Date.now()).toBeGreaterThanOrEqual(until - 1);
    });

    it('remembers a use for as long as anybody would accept the token', async () => {
      // The clock stands still, and the tokens are of different ages.
      for (const age of [-60, 0, 30, 3590]) {
        const use = { ...refreshUse(), expiresAt: deadFrom(now() - age) };
        expect(await store.consume(use)).toEqual({ state: 'fresh' });
        expect(`${age} s: ${(await store.peek(use)).state}`).toBe(`${age} s: consumed`);
      }
      for (const exp of [Number.MAX_SAFE_INTEGER, 1e300, undefined]) {
        const use = { ...refreshUse(), expiresAt: deadFrom(exp) };
        await store.consume(use);
        expect(await store.peek(use)).toEqual({ state: 'consumed' });
        await store.addRevocation(revocation({ value: use.id, expiresAt: deadFrom(exp) }));
        expect(await store.peek(use)).toEqual({ state: 'revoked' });
      }
    });

    it.each(['jti', 'sub', 'sid', 'kid'] as const)(
      'refuses what is revoked by %s',
      async (kind) => {
        const value = randomUUID();
        const use = refreshUse({ [kind]: value, iat: now() });
        const entry = revocation({ kind, value });
        await store.addRevocation(entry);
        expect(await store.peek(use)).toEqual({ state: 'revoked' });
        expect(await store.consume(use)).toEqual({ state: 'revoked' });
        // A value of another claim is another value.
        const other = kind === 'sub' ? 'sid' : 'sub';
        expect(await store.peek(refreshUse({ [other]: value }))).toEqual({ state: 'fresh' });
        await store.removeRevocation(entry.id);
        // A use that was refused has consumed nothing.
        expect(await store.consume(use)).toEqual({ state: 'fresh' });
        await store.addRevocation(revocation({ kind, value }));
        expect(await store.consume(use)).toEqual({ state: 'revoked' });
      },
    );

    it('means what was issued before, and what does not say when', async () => {
      const sub = randomUUID();
      await store.addRevocation(revocation({ kind: 'sub', value: sub, before: 1000 }));
      await store.addRevocation(revocation({ kind: 'sub', value: sub, before: 500 }));
      const state = async (iat?: number): Promise<string> =>
        (await store.peek(refreshUse({ sub, iat }))).state;
      expect(await state(999)).toBe('revoked');
      expect(await state(999.5)).toBe('revoked');
      expect(await state(1000)).toBe('fresh');
      expect(await state(1001)).toBe('fresh');
      expect(await state()).toBe('revoked');
    });

    it('does not mean anything once it has expired', async () => {
      const [sub, sid] = [randomUUID(), randomUUID()];
      await store.addRevocation(revocation({ kind: 'sub', value: sub, expiresAt: now() - 1 }));
      expect(await store.peek(refreshUse({ sub }))).toEqual({ state: 'fresh' });
      await store.addRevocation(revocation({ kind: 'sid', value: sid, expiresAt: now() + 2 }));
      expect(await store.peek(refreshUse({ sid }))).toEqual({ state: 'revoked' });
      await expect.poll(() => store.peek(refreshUse({ sid }))).toEqual({ state: 'fresh' });
    });

    it('knows the latest expiry', async () => {
      const first = await store.noteExpiry(4_000_000_000);
      expect(first).toBeGreaterThanOrEqual(4_000_000_000);
      expect(await store.noteExpiry(0)).toBe(first);
      expect(await store.noteExpiry(first + 3600)).toBe(first + 3600);
      expect(await store.noteExpiry(first)).toBe(first + 3600);
      expect(await store.noteExpiry(253_402_300_799)).toBe(253_402_300_799);
    });

    it('keeps the first value of a name, of fifty at the same time', async () => {
      const key = randomUUID();
      const values = Array.from({ length: 50 }, () => randomUUID());
      const kept = await Promise.all(values.map((value) => store.putIfAbsent(key, value, 60_000)));
      expect(new Set(kept).size).toBe(1);
      expect(values).toContain(kept[0]);
      expect(await store.putIfAbsent(key, 'ä – 理由', 60_000)).toBe(kept[0]);
      expect(await store.putIfAbsent(`${key}x`, 'ä – 理由', 60_000)).toBe('ä – 理由');
      expect(await store.getKept(key)).toBe(kept[0]);
      expect(await store.getKept(`${key}y`)).toBeUndefined();
      await store.putIfAbsent(`${key}z`, '', 60_000);
      expect(await store.getKept(`${key}z`)).toBe('');
    });

    it('keeps a value for as long as the first one said', async () => {
      const key = randomUUID();
      const until = Date.now() + 400;
      await store.putIfAbsent(key, 'first', 400);
      await store.putIfAbsent(`${key}x`, 'first', 400);
      expect(await store.putIfAbsent(key, 'second', 60_000)).toBe('first');
      await expect
        .poll(() => store.putIfAbsent(key, 'third', 60_000), { interval: 20 })
        .toBe('third');
      expect(Date.now()).toBeGreaterThanOrEqual(until - 1);
      expect(await store.putIfAbsent(key, 'fourth', 60_000)).toBe('third');
      await expect.poll(() => store.getKept(`${key}x`), { interval: 20 }).toBeUndefined();
    });

    it('lists the sessions of an owner, the oldest login first, as they were put last', async () => {
      const owner = randomUUID();
      const [old, young] = [session({ createdAt: 1000 }), session({ createdAt: 1000.5 })];
      const full = { ...young, clientId: 'c', userAgent: 'ä – 理由 "', network: '192.0.2.0/24' };
      expect(await store.listSessions(owner)).toEqual([]);
      expect(await store.putSession(owner, young)).toEqual([young]);
      expect(await store.putSession(owner, old)).toEqual([old, young]);
      expect(await store.putSession(owner, full)).toEqual([old, full]);
      const used = { ...old, usedAt: now() + 5 };
      expect(await store.putSession(owner, used)).toEqual([used, full]);
      expect(await store.listSessions(owner)).toEqual([used, full]);
      expect(await store.listSessions(randomUUID())).toEqual([]);
      await store.removeSessions(owner, [old.sid, 'not there']);
      await store.removeSessions(randomUUID(), [full.sid]);
      await store.removeSessions(owner, []);
      expect(await store.listSessions(owner)).toEqual([full]);
      await store.removeSessions(owner, [full.sid]);
      expect(await store.listSessions(owner)).toEqual([]);
    });

    it('loses none of fifty sessions that begin at the same time', async () => {
      const owner = randomUUID();
      const sessions = Array.from({ length: 50 }, () => session());
      const seen = await Promise.all(sessions.map((one) => store.putSession(owner, one)));
      expect(seen.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      expect(await store.listSessions(owner)).toHaveLength(50);
    });

    it('forgets sessions that have expired', async () => {
      const owner = randomUUID();
      const [short, long] = [session({ expiresAt: now() + 2 }), session()];
      await store.putSession(owner, session({ expiresAt: now() - 1 }));
      await store.putSession(owner, short);
      expect(await store.listSessions(owner)).toEqual([short]);
      await store.putSession(owner, long);
      await expect.poll(() => store.listSessions(owner)).toEqual([long]);
      expect(await store.putSession(owner, long)).toEqual([long]);
    });

    it('counts hits per key and window', async () => {
      const key = randomUUID();
      const hits = await Promise.all(Array.from({ length: 20 }, () => store.hit(key, 400)));
      expect(hits.map((hit) => hit.hits).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      for (const { resetMs } of hits) expect(resetMs).toSatisfy((ms) => ms > 0 && ms <= 400);
      expect(await store.hit(`${key}x`, 60_000)).toMatchObject({ hits: 1 });
      // The window began with the first hit and ends whatever comes.
      await expect
        .poll(async () => (await store.hit(key, 400)).hits, { interval: 50 })
        .toBeLessThan(10);
    });
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

    it('shows each what the other did', async () => {
      const { cursor } = await allChanges(other);
      const entry = revocation({ kind: 'sub' });
      await one.addRevocation(entry);
      expect((await other.changes(cursor, 10)).added).toEqual([entry]);
      expect(await other.consume(refreshUse({ sub: entry.value }))).toEqual({ state: 'revoked' });
      expect(await other.removeRevocation(entry.id)).toEqual(entry);
      expect(await one.consume(refreshUse({ sub: entry.value }))).toEqual({ state: 'fresh' });
      const key = randomUUID();
      await one.hit(key, 60_000);
      expect(await other.hit(key, 60_000)).toMatchObject({ hits: 2 });
      expect(await one.putIfAbsent(key, 'one', 60_000)).toBe('one');
      expect(await other.putIfAbsent(key, 'other', 60_000)).toBe('one');
      expect(await other.getKept(key)).toBe('one');
      const record = session();
      await one.putSession(key, record);
      expect(await other.listSessions(key)).toEqual([record]);
      const exp = (await one.noteExpiry(0)) + 1;
      await one.noteExpiry(exp);
      expect(await other.noteExpiry(0)).toBe(exp);
    });

    it('skips no entry while many are added at the same time', async () => {
      const entries = Array.from({ length: 400 }, () => revocation());
      let { cursor } = await allChanges(one);
      const adding = Promise.all(
        entries.map((entry, index) => (index % 2 === 0 ? one : other).addRevocation(entry)),
      );
      let done = false;
      void adding.then(() => (done = true));
      const seen: string[] = [];
      for (let last = false; !last;) {
        last = done;
        const changes = await allChanges(one, cursor, 7);
        seen.push(...ids(changes.added));
        ({ cursor } = changes);
      }
      await adding;
      expect(seen.toSorted()).toEqual(ids(entries).toSorted());
    });

    it('begins at the beginning for who comes from another history', async () => {
      const { cursor } = await allChanges(one);
      const foreign = cursor.replace(/^[\da-f]/, (digit) => (digit === '0' ? '1' : '0'));
      const changes = await allChanges(one, foreign);
      expect(await one.changes(foreign, 1)).toMatchObject({ restarted: true });
      expect(ids(changes.added)).toEqual(ids((await allChanges(one)).added));
      // The same history, but put back to an earlier state.
      const ahead = cursor.replace(/\d+$/, (version) => String(Number(version) + 1));
      expect(await one.changes(ahead, 1)).toMatchObject({ restarted: true });
    });
  });
}
