import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { deadFrom, type TokenAge } from '../core/revocation/index.js';
import {
  REVOCATION_KINDS,
  type RefreshUse,
  type Revocation,
  type RevocationChanges,
  type RevocationKind,
  type SessionRecord,
  type StateStore,
} from '../state/index.js';

/** A requirement that every state store has to meet. */
export interface StateStoreCheck<Stores extends readonly StateStore[]> {
  /** A sentence whose subject is the store. */
  readonly name: string;
  /** @throws Error that says what the store did instead */
  readonly run: (...stores: Stores) => Promise<void>;
}

/** Longest wait for a condition, in milliseconds. A busy machine takes longer. */
const PATIENCE_MS = 20_000;

const now = (): number => Math.floor(Date.now() / 1000);

/** Removes members that are `undefined`, which count as absent. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));
const same = (actual: unknown, expected: unknown): void =>
  assert.deepEqual(plain(actual), plain(expected));
const ids = (list: readonly { id: string }[]): string[] => list.map(({ id }) => id);

/** Repeats a check until it does not throw. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;)
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(20);
    }
}

/** Makes a new revocation with these members. */
export function revocation(changes: Partial<Revocation> = {}): Revocation {
  const whole = { id: randomUUID(), kind: 'jti', value: randomUUID(), before: null } as const;
  return { ...whole, createdAt: now(), expiresAt: now() + 3600, ...changes };
}

/** Makes the use of a refresh token with these claims. */
export function anyUse(
  { iat, since, ...claims }: Partial<Record<RevocationKind, string>> & TokenAge = {},
  id: string = randomUUID(),
): RefreshUse {
  const names = REVOCATION_KINDS.flatMap((kind) => {
    const value = { jti: id, ...claims }[kind];
    return value === undefined ? [] : [{ kind, value }];
  });
  return { id, expiresAt: now() + 3600, subject: { names, iat, since } };
}

/** Reads all changes since a cursor, page by page. */
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

const cursorOf = async (store: StateStore): Promise<string> => (await allChanges(store)).cursor;

const OF_ALL: Readonly<Record<string, (store: StateStore) => Promise<void>>> = {
  'tells of revocations as they were added, in order, once each': async (store) => {
    const start = await cursorOf(store);
    const entries = [
      revocation(),
      revocation({ kind: 'sub', value: 'ä\n"\'\0x', before: now() + 1, reason: 'why – 理由' }),
      revocation({ kind: 'sid', value: '' }),
      revocation({ kind: 'kid', value: '9007199254740993', expiresAt: null }),
    ];
    for (const entry of entries) same(await store.addRevocation(entry), entry);
    await store.addRevocation(entries[1] as Revocation);
    const { added, removed, restarted, more, cursor } = await store.changes(start, 100);
    same(added, entries);
    same([removed, restarted, more], [[], false, false]);
    const nothing = { added: [], removed: [], restarted: false, more: false, cursor };
    same(await store.changes(cursor, 100), nothing);
  },

  'tells of them page by page': async (store) => {
    const start = await cursorOf(store);
    const entries = Array.from({ length: 7 }, () => revocation());
    for (const entry of entries) await store.addRevocation(entry);
    const page = await store.changes(start, 3);
    same([ids(page.added), page.more], [ids(entries.slice(0, 3)), true]);
    same(ids((await allChanges(store, start, 2)).added), ids(entries));
    const exact = await store.changes(start, 7);
    same([exact.added.length, exact.more], [7, false]);
  },

  'tells everything to who has no cursor': async (store) => {
    const entry = revocation();
    await store.addRevocation(entry);
    assert.ok(ids((await allChanges(store)).added).includes(entry.id));
  },

  'undoes, once, and tells of it': async (store) => {
    const value = randomUUID();
    const [kept, undone] = [revocation({ value }), revocation({ value })];
    await store.addRevocation(kept);
    await store.addRevocation(undone);
    const between = await cursorOf(store);
    same(await store.removeRevocation(undone.id), undone);
    same(await store.removeRevocation(undone.id), undefined);
    same(await store.removeRevocation(randomUUID()), undefined);
    const { added, removed } = await store.changes(between, 100);
    same(added, []);
    const names = removed.map(({ id, kind, value: name }) => ({ id, kind, value: name }));
    same(names, [{ id: undone.id, kind: 'jti', value }]);
    // An undone revocation cannot be added again. The other revocation of that value stays.
    await store.addRevocation(undone);
    assert.ok(!ids((await allChanges(store)).added).includes(undone.id));
    same(await store.peek(anyUse({}, value)), { state: 'revoked' });
  },

  'lists what is in force, the oldest first, page by page': async (store) => {
    const known = await store.listRevocations({ limit: 1000 });
    const entries = Array.from({ length: 5 }, () => revocation());
    for (const entry of entries) await store.addRevocation(entry);
    await store.addRevocation(revocation({ expiresAt: now() - 1 }));
    const after = known.at(-1)?.id;
    same(await store.listRevocations({ after, limit: 2 }), entries.slice(0, 2));
    // The last revocation of the previous page was undone in the meantime.
    await store.removeRevocation(entries[1]?.id ?? '');
    const rest = await store.listRevocations({ after: entries[1]?.id, limit: 100 });
    same(rest, entries.slice(2));
    same((await store.listRevocations({ limit: 1000 })).length, known.length + 4);
    same(await store.listRevocations({ after: entries[4]?.id, limit: 2 }), []);
  },

  'consumes once': async (store) => {
    const use = anyUse();
    same(await store.peek(use), { state: 'fresh' });
    same(await store.peek(use), { state: 'fresh' });
    same(await store.consume(use), { state: 'fresh' });
    same(await store.consume(use), { state: 'consumed' });
    same(await store.peek(use), { state: 'consumed' });
  },

  'consumes once, of fifty at the same time': async (store) => {
    const use = anyUse();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.consume(use)));
    same(outcomes.filter(({ state }) => state === 'fresh').length, 1);
    same(outcomes.filter(({ state }) => state === 'consumed').length, 49);
  },

  'leaves the replay of the first use to the others, while its time lasts': async (store) => {
    const use = anyUse();
    const until = Date.now() + 300;
    await store.consume(use, { value: 'the answer – ä', ttlMs: 300 });
    const told = await store.consume(use, { value: 'another', ttlMs: 10_000 });
    same(told, { state: 'consumed', replay: 'the answer – ä' });
    await eventually(async () => same(await store.peek(use), { state: 'consumed' }));
    assert.ok(Date.now() >= until - 1, 'it was gone too early');
  },

  'tells the same request the same, however often it asks': async (store) => {
    const use = { ...anyUse(), nonce: randomUUID() };
    const replay = { value: 'the answer', ttlMs: 60_000 };
    for (let times = 0; times < 3; times++)
      same(await store.consume(use, replay), { state: 'fresh' });
    const other = { ...use, nonce: randomUUID() };
    const told = await store.consume(other, { value: 'another', ttlMs: 60_000 });
    same(told, { state: 'consumed', replay: 'the answer' });
    same((await store.peek({ ...use, nonce: undefined })).state, 'consumed');
    // A revocation in between takes effect.
    await store.addRevocation(revocation({ value: use.id }));
    same(await store.consume(use, replay), { state: 'revoked' });
  },

  'leaves nothing for no time': async (store) => {
    const use = { ...anyUse(), nonce: randomUUID() };
    await store.consume(use, { value: 'the answer', ttlMs: 0 });
    same(await store.peek(anyUse({}, use.id)), { state: 'consumed' });
  },

  'remembers a use for as long as anybody would accept the token': async (store) => {
    // Tokens of different ages, since the clock cannot be changed.
    for (const age of [-60, 0, 30, 3590]) {
      const use = { ...anyUse(), expiresAt: deadFrom(now() - age) };
      same(await store.consume(use), { state: 'fresh' });
      same(`${age} s: ${(await store.peek(use)).state}`, `${age} s: consumed`);
    }
    for (const exp of [Number.MAX_SAFE_INTEGER, 1e300, undefined]) {
      const use = { ...anyUse(), expiresAt: deadFrom(exp) };
      await store.consume(use);
      same(await store.peek(use), { state: 'consumed' });
      await store.addRevocation(revocation({ value: use.id, expiresAt: deadFrom(exp) }));
      same(await store.peek(use), { state: 'revoked' });
    }
  },

  ...Object.fromEntries(
    REVOCATION_KINDS.map((kind) => [
      `refuses what is revoked by ${kind}`,
      async (store: StateStore) => {
        const value = randomUUID();
        const use = anyUse({ [kind]: value, iat: now() });
        const entry = revocation({ kind, value });
        await store.addRevocation(entry);
        same(await store.peek(use), { state: 'revoked' });
        same(await store.consume(use), { state: 'revoked' });
        // The same value of another claim is not revoked.
        const other = kind === 'sub' ? 'sid' : 'sub';
        same(await store.peek(anyUse({ [other]: value })), { state: 'fresh' });
        await store.removeRevocation(entry.id);
        // A refused use has not consumed the token.
        same(await store.consume(use), { state: 'fresh' });
        await store.addRevocation(revocation({ kind, value }));
        same(await store.consume(use), { state: 'revoked' });
      },
    ]),
  ),

  'means what was issued before, and what does not say when': async (store) => {
    const sub = randomUUID();
    await store.addRevocation(revocation({ kind: 'sub', value: sub, before: 1000 }));
    await store.addRevocation(revocation({ kind: 'sub', value: sub, before: 500 }));
    for (const [iat, expected] of [
      [999, 'revoked'],
      [999.5, 'revoked'],
      [1000, 'fresh'],
      [1001, 'fresh'],
      [undefined, 'revoked'],
    ] as const) {
      const { state } = await store.peek(anyUse({ sub, iat }));
      same([iat, state], [iat, expected]);
    }
  },

  'means by sub what belongs to a session of before, by others what was issued before': async (
    store,
  ) => {
    for (const kind of REVOCATION_KINDS) {
      const value = randomUUID();
      await store.addRevocation(revocation({ kind, value, before: 1000 }));
      const age = { iat: 2000, since: 999 };
      const { state } = await store.peek(anyUse({ [kind]: value, ...age }));
      same([kind, state], [kind, kind === 'sub' ? 'revoked' : 'fresh']);
    }
  },

  'decides when it does it what was issued until then': async (store) => {
    const sub = randomUUID();
    const entry = revocation({ kind: 'sub', value: sub, before: null, reason: 'r "quoted"' });
    const began = now();
    const added = await store.addRevocation(entry, 60);
    const before = Number(added.before);
    assert.ok(before >= began + 60 && before <= now() + 60, `before is ${before}`);
    same(added, { ...entry, before });
    same((await allChanges(store)).added.at(-1), added);
    // Added again, it does not change.
    same(await store.addRevocation(entry, 1000), added);
    same(await store.consume(anyUse({ sub, iat: before - 1 })), { state: 'revoked' });
    same(await store.consume(anyUse({ sub, iat: before })), { state: 'fresh' });
  },

  'gets back what it lost, is incomplete for a while, and tells of it like of others': async (
    store,
  ) => {
    const start = await cursorOf(store);
    await store.restore([]);
    const shared = store.scope === 'process' ? undefined : true;
    same((await store.changes(start, 100)).incomplete, shared);
    const entries = [
      revocation({ reason: 'why' }),
      revocation({ kind: 'sub', before: 5 }),
      revocation({ kind: 'kid', expiresAt: null }),
    ];
    await store.restore(entries);
    await store.restore(entries);
    same((await store.changes(start, 100)).added, entries);
    await eventually(async () => same((await store.changes(start, 100)).incomplete, undefined));
  },

  'does not mean anything once it has expired': async (store) => {
    const [sub, sid] = [randomUUID(), randomUUID()];
    await store.addRevocation(revocation({ kind: 'sub', value: sub, expiresAt: now() - 1 }));
    same(await store.peek(anyUse({ sub })), { state: 'fresh' });
    await store.addRevocation(revocation({ kind: 'sid', value: sid, expiresAt: now() + 2 }));
    same(await store.peek(anyUse({ sid })), { state: 'revoked' });
    await eventually(async () => same(await store.peek(anyUse({ sid })), { state: 'fresh' }));
  },

  'knows the latest expiry': async (store) => {
    const first = await store.noteExpiry(4_000_000_000);
    assert.ok(first >= 4_000_000_000);
    same(await store.noteExpiry(0), first);
    same(await store.noteExpiry(first + 3600), first + 3600);
    same(await store.noteExpiry(first), first + 3600);
    same(await store.noteExpiry(253_402_300_799), 253_402_300_799);
  },

  'keeps the first value of a name, of fifty at the same time': async (store) => {
    const key = randomUUID();
    const values = Array.from({ length: 50 }, () => randomUUID());
    const kept = await Promise.all(values.map((value) => store.putIfAbsent(key, value, 60_000)));
    same(new Set(kept).size, 1);
    assert.ok(values.some((value) => value === kept[0]));
    same(await store.putIfAbsent(key, 'ä – 理由', 60_000), kept[0]);
    same(await store.putIfAbsent(`${key}x`, 'ä – 理由', 60_000), 'ä – 理由');
    same(await store.getKept(key), kept[0]);
    same(await store.getKept(`${key}y`), undefined);
    await store.putIfAbsent(`${key}z`, '', 60_000);
    same(await store.getKept(`${key}z`), '');
  },

  'keeps a value for as long as the first one said': async (store) => {
    const key = randomUUID();
    const until = Date.now() + 400;
    await store.putIfAbsent(key, 'first', 400);
    await store.putIfAbsent(`${key}x`, 'first', 400);
    same(await store.putIfAbsent(key, 'second', 60_000), 'first');
    await eventually(async () => same(await store.putIfAbsent(key, 'third', 60_000), 'third'));
    assert.ok(Date.now() >= until - 1, 'it was gone too early');
    same(await store.putIfAbsent(key, 'fourth', 60_000), 'third');
    await eventually(async () => same(await store.getKept(`${key}x`), undefined));
  },

  'counts hits per key and window': async (store) => {
    const key = randomUUID();
    const hits = await Promise.all(Array.from({ length: 20 }, () => store.hit(key, 400)));
    same(
      hits.map((hit) => hit.hits).toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    for (const { resetMs } of hits) assert.ok(resetMs > 0 && resetMs <= 400, `${resetMs} ms`);
    same((await store.hit(`${key}x`, 60_000)).hits, 1);
    // The window begins with the first hit. Later hits do not extend it.
    await eventually(async () => assert.ok((await store.hit(key, 400)).hits < 10));
  },
};

const session = (changes: Partial<SessionRecord> = {}): SessionRecord => ({
  sid: randomUUID(),
  createdAt: now(),
  usedAt: now(),
  expiresAt: now() + 3600,
  ...changes,
});

const OF_SESSIONS: Readonly<Record<string, (store: StateStore) => Promise<void>>> = {
  'lists the sessions of an owner, the oldest login first, as they were put last': async (
    store,
  ) => {
    const owner = randomUUID();
    const [old, young] = [session({ createdAt: 1000 }), session({ createdAt: 1000.5 })];
    const full = { ...young, clientId: 'c', userAgent: 'ä – 理由 "', network: '192.0.2.0/24' };
    same(await store.listSessions(owner), []);
    same(await store.putSession(owner, young), [young]);
    same(await store.putSession(owner, old), [old, young]);
    same(await store.putSession(owner, full), [old, full]);
    const used = { ...old, usedAt: now() + 5 };
    same(await store.putSession(owner, used), [used, full]);
    same(await store.listSessions(owner), [used, full]);
    same(await store.listSessions(randomUUID()), []);
    await store.removeSessions(owner, [old.sid, 'not there']);
    await store.removeSessions(randomUUID(), [full.sid]);
    await store.removeSessions(owner, []);
    same(await store.listSessions(owner), [full]);
    await store.removeSessions(owner, [full.sid]);
    same(await store.listSessions(owner), []);
  },

  'loses none of fifty sessions that begin at the same time': async (store) => {
    const owner = randomUUID();
    const sessions = Array.from({ length: 50 }, () => session());
    const seen = await Promise.all(sessions.map((one) => store.putSession(owner, one)));
    same(
      seen.map(({ length }) => length).toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
    same((await store.listSessions(owner)).length, 50);
  },

  'forgets sessions that have expired': async (store) => {
    const owner = randomUUID();
    const [short, long] = [session({ expiresAt: now() + 2 }), session()];
    await store.putSession(owner, session({ expiresAt: now() - 1 }));
    await store.putSession(owner, short);
    same(await store.listSessions(owner), [short]);
    await store.putSession(owner, long);
    await eventually(async () => same(await store.listSessions(owner), [long]));
    same(await store.putSession(owner, long), [long]);
  },

  'counts sessions of all owners up to a limit, if it counts them': async (store) => {
    if (store.countSessions === undefined) return;
    const before = await store.countSessions(1_000_000);
    const [one, two] = [session(), session({ expiresAt: now() + 2 })];
    const [owner, other] = [randomUUID(), randomUUID()];
    await store.putSession(owner, one);
    await store.putSession(owner, { ...one, usedAt: now() + 5 });
    await store.putSession(other, two);
    await store.putSession(other, session({ expiresAt: now() - 1 }));
    same(await store.countSessions(1_000_000), before + 2);
    same(await store.countSessions(1), 1);
    await eventually(async () => same(await store.countSessions?.(1_000_000), before + 1));
    await store.removeSessions(owner, [one.sid]);
    same(await store.countSessions(1_000_000), before);
  },
};

const OF_SHARED: Readonly<Record<string, (one: StateStore, other: StateStore) => Promise<void>>> = {
  'shows each what the other did': async (one, other) => {
    const cursor = await cursorOf(other);
    const entry = revocation({ kind: 'sub' });
    await one.addRevocation(entry);
    same((await other.changes(cursor, 10)).added, [entry]);
    same(await other.consume(anyUse({ sub: entry.value })), { state: 'revoked' });
    same(await other.removeRevocation(entry.id), entry);
    same(await one.consume(anyUse({ sub: entry.value })), { state: 'fresh' });
    const key = randomUUID();
    await one.hit(key, 60_000);
    same((await other.hit(key, 60_000)).hits, 2);
    same(await one.putIfAbsent(key, 'one', 60_000), 'one');
    same(await other.putIfAbsent(key, 'other', 60_000), 'one');
    same(await other.getKept(key), 'one');
    const record = session();
    await one.putSession(key, record);
    same(await other.listSessions(key), [record]);
    const exp = (await one.noteExpiry(0)) + 1;
    await one.noteExpiry(exp);
    same(await other.noteExpiry(0), exp);
  },

  'skips no entry while many are added at the same time': async (one, other) => {
    const entries = Array.from({ length: 400 }, () => revocation());
    let cursor = await cursorOf(one);
    const adding = Promise.all(
      entries.map((entry, index) => (index % 2 === 0 ? one : other).addRevocation(entry)),
    );
    let done = false;
    const seen: string[] = [];
    const reading = async (): Promise<void> => {
      for (let last = false; !last;) {
        last = done;
        const changes = await allChanges(one, cursor, 7);
        seen.push(...ids(changes.added));
        ({ cursor } = changes);
      }
    };
    await Promise.all([adding.finally(() => (done = true)), reading()]);
    same(seen.toSorted(), ids(entries).toSorted());
  },
};

const listOf = <Stores extends readonly StateStore[]>(
  checks: Readonly<Record<string, (...stores: Stores) => Promise<void>>>,
): readonly StateStoreCheck<Stores>[] =>
  Object.entries(checks).map(([name, run]) => ({ name, run }));

/**
 * The requirements of a `StateStore`, for a store of your own: one winner of concurrent refreshes, each revocation
 * reported once and in order, and so on. Run each as a test of your test runner:
 *
 * ```ts
 * for (const { name, run } of stateStoreChecks) test(name, () => run(store));
 * ```
 *
 * They run one after the other; together they take about six seconds.
 */
export const stateStoreChecks: readonly StateStoreCheck<[store: StateStore]>[] = listOf({
  ...OF_ALL,
  ...OF_SESSIONS,
});

/** Further requirements of two stores that share their state, as on two machines. */
export const sharedStateStoreChecks: readonly StateStoreCheck<
  [one: StateStore, other: StateStore]
>[] = listOf(OF_SHARED);
