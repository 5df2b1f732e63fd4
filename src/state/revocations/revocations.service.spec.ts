import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseJsonExactly } from '../../core/json/index.js';
import { Forgetting } from '../forgetting.js';
import { MemoryStore } from '../memory/memory.store.js';
import type { Revocation, TokenNames } from '../../core/revocation/index.js';
import { Revocations, type RevocationsOptions } from './revocations.service.js';
import {
  StateLoadingException,
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import type { RevocationChanges, StateStore } from '../state-store.js';
import { StoreClock } from '../store-clock.js';

const now = (): number => Math.floor(Date.now() / 1000);
const token = (claims: Record<string, unknown>, kid = 'k1'): TokenNames => ({
  kid,
  claims,
  signingInput: 'h.p',
});

/** A store that can be out of order or full, and that can lose everything. */
class FaultyStore extends MemoryStore {
  down = false;
  failure = new StateUnavailableException('is down');
  readOnly: string | undefined;
  private lost = false;
  private inner = new MemoryStore();

  lose(): void {
    this.inner = new MemoryStore();
    this.lost = true;
  }

  override async changes(cursor: string | undefined, limit: number): Promise<RevocationChanges> {
    const changes = await this.store().changes(this.lost ? undefined : cursor, limit);
    const restarted = this.lost;
    this.lost = false;
    return { ...changes, restarted };
  }
  override async addRevocation(revocation: Revocation, reach?: number): Promise<Revocation> {
    return this.toWrite().addRevocation(revocation, reach);
  }
  override async restore(revocations: readonly Revocation[]): Promise<void> {
    return this.toWrite().restore(revocations);
  }
  override async removeRevocation(id: string): Promise<Revocation | undefined> {
    return this.toWrite().removeRevocation(id);
  }
  override async noteExpiry(exp: number): Promise<number> {
    return this.toWrite().noteExpiry(exp);
  }
  override listRevocations(page: { limit: number }): Promise<readonly Revocation[]> {
    return this.inner.listRevocations(page);
  }
  private toWrite(): StateStore {
    if (this.readOnly !== undefined) throw new StateReadOnlyException(this.readOnly);
    return this.store();
  }
  private store(): StateStore {
    if (this.down) throw this.failure;
    return this.inner;
  }
}

const opened: Revocations[] = [];
async function open(store: StateStore, options: Partial<RevocationsOptions> = {}) {
  const revocations = await Revocations.open(store, {
    longestTokenTtl: 600,
    pollMs: 5,
    ...options,
  });
  opened.push(revocations);
  return revocations;
}
afterEach(async () => {
  for (const revocations of opened.splice(0)) await revocations.onApplicationShutdown();
});

beforeAll(() => Logger.overrideLogger(false));

describe('Revocations', () => {
  it.each([
    ['jti', token({ jti: 'x' }), token({ sub: 'x', sid: 'x' }, 'x')],
    ['sub', token({ sub: 'x' }), token({ jti: 'x', sid: 'x' }, 'x')],
    ['sid', token({ sid: 'x' }), token({ sub: 'x', jti: 'x' }, 'x')],
    ['kid', token({}, 'x'), token({ sub: 'x', jti: 'x', sid: 'x' })],
  ] as const)('refuses by %s, from the moment it was told', async (kind, meant, notMeant) => {
    const revocations = await open(new MemoryStore(), { pollMs: 60_000 });
    expect(revocations.isRevoked(meant)).toBe(false);
    const { id } = await revocations.revoke({ kind, value: 'x' });
    expect(revocations.isRevoked(meant)).toBe(true);
    expect(revocations.isRevoked(notMeant)).toBe(false);
    expect(revocations.size).toBe(1);
    expect(await revocations.undo(id)).toBe(true);
    expect(await revocations.undo(id)).toBe(false);
    expect(revocations.isRevoked(meant)).toBe(false);
    expect(revocations.size).toBe(0);
  });

  it('sees what others do, and undo', async () => {
    const store = new MemoryStore();
    const [one, other] = [await open(store), await open(store)];
    const { id } = await one.revoke({ kind: 'sid', value: 's' });
    await expect.poll(() => other.isRevoked(token({ sid: 's' }))).toBe(true);
    await one.undo(id);
    await expect.poll(() => other.isRevoked(token({ sid: 's' }))).toBe(false);
  });

  it('gives nothing back that the store told of before it confirmed it', async () => {
    const store = new MemoryStore();
    const changes = store.changes.bind(store);
    const add = store.addRevocation.bind(store);
    const restore = vi.spyOn(store, 'restore');
    const polls = { sinceAdded: 0 };
    vi.spyOn(store, 'changes').mockImplementation(async (cursor, limit) => {
      const told = await changes(cursor, limit);
      polls.sinceAdded++;
      return told;
    });
    let undo = false;
    vi.spyOn(store, 'addRevocation').mockImplementation(async (revocation, reach) => {
      const added = await add(revocation, reach);
      if (undo) await store.removeRevocation(added.id);
      polls.sinceAdded = 0;
      await vi.waitFor(() => expect(polls.sinceAdded).toBeGreaterThan(1));
      return added;
    });
    const revocations = await open(store);
    await revocations.revoke({ kind: 'jti', value: 'a' });
    undo = true;
    await revocations.revoke({ kind: 'jti', value: 'b' });
    polls.sinceAdded = 0;
    await vi.waitFor(() => expect(polls.sinceAdded).toBeGreaterThan(2));
    expect(restore.mock.calls.flat(2)).toEqual([]);
    expect(revocations.isRevoked(token({ jti: 'a' }))).toBe(true);
    expect(revocations.isRevoked(token({ jti: 'b' }))).toBe(false);
    expect(revocations.size).toBe(1);
  });

  it('lets the strictest of several entries count; undoing one leaves the others', async () => {
    const revocations = await open(new MemoryStore());
    const revoke = async (before: number | null): Promise<string> =>
      (await revocations.revoke({ kind: 'sub', value: 'u', before })).id;
    const at = (iat?: number): boolean => revocations.isRevoked(token({ sub: 'u', iat }));
    const verdicts = (): boolean[] => [at(99), at(150), at(250), at()];
    const [low, all, high] = [await revoke(100), await revoke(null), await revoke(200)];
    expect(verdicts()).toEqual([true, true, true, true]);
    await revocations.undo(all);
    expect(verdicts()).toEqual([true, true, false, true]);
    await revocations.undo(high);
    expect(verdicts()).toEqual([true, false, false, true]);
    await revoke(200);
    await revocations.undo(low);
    expect(verdicts()).toEqual([true, true, false, true]);
  });

  it('means by default everything a user has until now, as far ahead as a clock may be', async () => {
    const revocations = await open(new MemoryStore(), { leeway: 60 });
    const began = now();
    const { before } = await revocations.revoke({ kind: 'sub', value: 'u' });
    expect(before).toBeGreaterThanOrEqual(began + 61);
    expect(before).toBeLessThanOrEqual(now() + 61);
    const meant = (iat: unknown): boolean => revocations.isRevoked(token({ sub: 'u', iat }));
    expect([meant((before ?? 0) - 1), meant(before), meant(undefined)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(meant(parseJsonExactly('1.000000000000000000001'))).toBe(true);
    expect((await revocations.revoke({ kind: 'jti', value: 'j' })).before).toBeNull();
  });

  it('knows numbers, booleans and text as what they say; lists and objects name nobody', async () => {
    const revocations = await open(new MemoryStore());
    await revocations.revoke({ kind: 'sub', value: '9007199254740993' });
    const meant = (sub: unknown): boolean => revocations.isRevoked(token({ jti: 'j', sub }));
    expect(meant(parseJsonExactly('9007199254740993'))).toBe(true);
    expect(meant('9007199254740993')).toBe(true);
    expect(meant(parseJsonExactly('9007199254740992'))).toBe(false);
    expect(meant(['9007199254740993'])).toBe(false);
    await revocations.revoke({ kind: 'sub', value: '\ud800x' });
    expect(meant('\ud800x')).toBe(true);
  });

  it('names a token by a digest of what was signed, whatever its jti', async () => {
    const revocations = await open(new MemoryStore());
    await revocations.revoke({
      kind: 'jti',
      value: `sha256:${hash('sha256', 'h.p', 'base64url')}`,
    });
    expect(revocations.isRevoked(token({}))).toBe(true);
    expect(revocations.isRevoked(token({ jti: ['x'] }))).toBe(true);
    expect(revocations.isRevoked(token({ jti: 'x' }))).toBe(true);
    expect(revocations.isRevoked({ ...token({ jti: 'x' }), signingInput: 'h.q' })).toBe(false);
  });

  it('forgets what has expired', async () => {
    vi.spyOn(Forgetting.prototype, 'horizon', 'get').mockImplementation(() => Date.now() / 1000);
    const store = new MemoryStore();
    const revocations = await open(store);
    const expiresAt = now() + 2;
    for (const value of ['a', 'b', 'c'])
      await revocations.revoke({ kind: 'jti', value, expiresAt });
    await revocations.revoke({ kind: 'jti', value: 'c' });
    expect(revocations.isRevoked(token({ jti: 'a' }))).toBe(true);
    await expect.poll(() => revocations.isRevoked(token({ jti: 'a' }))).toBe(false);
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(expiresAt);
    expect(revocations.isRevoked(token({ jti: 'c' }))).toBe(true);
    await expect.poll(() => revocations.size).toBe(1);
  });

  it('keeps an entry as long as any token known may live', async () => {
    const store = new MemoryStore();
    const revocations = await open(store, { longestTokenTtl: 7200 });
    const expiry = async (kind: 'jti' | 'kid'): Promise<number | null> =>
      (await revocations.revoke({ kind, value: 'x' })).expiresAt;
    expect(await expiry('jti')).toBeGreaterThanOrEqual(now() + 7200);
    expect(await expiry('jti')).toBeLessThan(now() + 7200 + 7200);
    expect(await expiry('kid')).toBeNull();
    const exp = now() + 10_000_000;
    revocations.noteExpiry(exp);
    expect(await expiry('jti')).toBeGreaterThanOrEqual(exp);
    // What one process has seen, all take into account.
    const other = await open(store);
    expect((await other.revoke({ kind: 'sub', value: 'x' })).expiresAt).toBeGreaterThanOrEqual(exp);
  });

  it('tells the store of a latest expiry once, rounded up to the hour', async () => {
    const store = new MemoryStore();
    const revocations = await open(store);
    const noted = vi.spyOn(store, 'noteExpiry');
    const hour = Math.ceil(now() / 3600) * 3600 + 36_000;
    for (let exp = hour - 3000; exp < hour; exp++) revocations.noteExpiry(exp);
    expect(noted.mock.calls).toEqual([[hour]]);
    revocations.noteExpiry(1e300);
    expect(noted.mock.calls[1]).toEqual([253_402_300_799]);
    for (const exp of [1e300, Number.MAX_SAFE_INTEGER]) revocations.noteExpiry(exp);
    expect(noted.mock.calls).toHaveLength(2);
  });
});

describe('Revocations without a store', () => {
  it('serves from the last view for a while, then proves nothing; recovers by itself', async () => {
    const store = new FaultyStore();
    const revocations = await open(store, { maxStalenessMs: 300 });
    await revocations.revoke({ kind: 'jti', value: 'x' });
    expect(revocations.staleSeconds).toBe(0);
    store.down = true;
    await expect.poll(() => revocations.staleSeconds, { interval: 5 }).toBeGreaterThan(0);
    expect(revocations.isRevoked(token({ jti: 'x' }))).toBe(true);
    expect(revocations.isRevoked(token({ jti: 'y' }))).toBe(false);
    await expect(revocations.revoke({ kind: 'jti', value: 'z' })).rejects.toThrow(
      StateUnavailableException,
    );
    await expect
      .poll(() => {
        try {
          return revocations.isRevoked(token({ jti: 'y' }));
        } catch (error) {
          return error;
        }
      })
      .toBeInstanceOf(StateUnavailableException);
    expect(() => revocations.assertFresh()).toThrow(StateUnavailableException);
    store.down = false;
    await expect.poll(() => revocations.staleSeconds).toBe(0);
    expect(revocations.isRevoked(token({ jti: 'x' }))).toBe(true);
  });

  it('serves for longer while the store reads its data, and no longer once it does not say so', async () => {
    const store = new FaultyStore();
    const revocations = await open(store, { maxStalenessMs: 50 });
    await revocations.revoke({ kind: 'jti', value: 'x' });
    const verdict = (): unknown => {
      try {
        return revocations.isRevoked(token({ jti: 'x' }));
      } catch {
        return 'stale';
      }
    };
    store.failure = new StateLoadingException('reads');
    store.down = true;
    await expect.poll(() => revocations.staleSeconds, { interval: 5 }).toBeGreaterThan(0.2);
    expect(verdict()).toBe(true);
    await expect(revocations.revoke({ kind: 'jti', value: 'y' })).rejects.toThrow(
      StateLoadingException,
    );
    store.failure = new StateUnavailableException('is down');
    await expect.poll(verdict, { interval: 5 }).toBe('stale');
    store.down = false;
    await expect.poll(verdict, { interval: 5 }).toBe(true);
  });

  it('refuses to begin without it', async () => {
    const store = new FaultyStore();
    store.down = true;
    await expect(open(store)).rejects.toThrow(StateUnavailableException);
  });

  it('gives a store that has lost its data back what it knows', async () => {
    const store = new FaultyStore();
    const revocations = await open(store);
    const kept = [
      await revocations.revoke({ kind: 'sub', value: 'a', before: 5, reason: 'r' }),
      await revocations.revoke({ kind: 'kid', value: 'b' }),
      await revocations.revoke({ kind: 'kid', value: 'b', before: 7 }),
    ];
    const undone = await revocations.revoke({ kind: 'jti', value: 'c' });
    await revocations.undo(undone.id);
    revocations.noteExpiry(now() + 50_000_000);
    store.lose();
    await expect.poll(() => store.listRevocations({ limit: 10 })).toHaveLength(3);
    const back = await store.listRevocations({ limit: 10 });
    const sorted = (list: readonly Revocation[]): Revocation[] =>
      list
        .map((entry) => ({ ...entry, reason: undefined }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted(back)).toEqual(sorted(kept));
    expect(revocations.isRevoked(token({}, 'b'))).toBe(true);
    await expect.poll(() => store.noteExpiry(0)).toBeGreaterThanOrEqual(now() + 50_000_000);
  });

  it('gives each back once, in however many tries, and says how many', async () => {
    const told = vi.spyOn(Logger.prototype, 'warn');
    const store = new FaultyStore();
    const revocations = await open(store);
    const entries = Array.from({ length: 1100 }, (): Revocation => {
      const id = crypto.randomUUID();
      return { id, kind: 'jti', value: id, before: null, createdAt: now(), expiresAt: null };
    });
    await store.restore(entries);
    await expect.poll(() => revocations.size).toBe(1100);
    const restore = store.restore.bind(store);
    const restored: string[] = [];
    let tries = 0;
    vi.spyOn(store, 'restore').mockImplementation(async (list) => {
      if (list.length > 0 && ++tries === 2) throw new StateUnavailableException('is slow');
      await restore(list);
      restored.push(...list.map(({ id }) => id));
    });
    store.lose();
    await expect
      .poll(() => told.mock.calls.map(String).filter((line) => /new history/.test(line)))
      .toEqual([expect.stringContaining('got back 1100 revocations')]);
    expect(restored.toSorted()).toEqual(entries.map(({ id }) => id).toSorted());
  });
});

describe('a store that takes no writes', () => {
  it('is read for as long as that lasts, from the boot on', async () => {
    const logged = vi.spyOn(Logger.prototype, 'error');
    const store = new FaultyStore();
    const before = await open(store, { maxStalenessMs: 50 });
    await before.revoke({ kind: 'sid', value: 's' });
    store.readOnly = 'full';
    const booted = await open(store, { maxStalenessMs: 50 });
    expect(logged).toHaveBeenCalledWith(expect.stringMatching(/takes no writes: full/));
    const began = performance.now();
    await expect.poll(() => performance.now() - began).toBeGreaterThan(150);
    for (const revocations of [before, booted]) {
      expect(revocations.isRevoked(token({ sid: 's' }))).toBe(true);
      expect(revocations.isRevoked(token({ sid: 'x' }))).toBe(false);
      expect([revocations.readOnly, revocations.staleSeconds]).toEqual(['full', 0]);
      await expect(revocations.revoke({ kind: 'sid', value: 'x' })).rejects.toThrow(
        StateReadOnlyException,
      );
      expect(revocations.isRevoked(token({ sid: 'x' }))).toBe(false);
    }
    store.readOnly = undefined;
    expect(booted.readOnly).toBeUndefined();
  });

  it('gets back what it lost as soon as it takes writes', async () => {
    const store = new FaultyStore();
    const revocations = await open(store);
    await revocations.revoke({ kind: 'sid', value: 's' });
    const read = vi.spyOn(store, 'changes');
    store.readOnly = 'full';
    store.lose();
    await expect.poll(() => read.mock.calls.length).toBeGreaterThan(2);
    expect(await store.listRevocations({ limit: 9 })).toEqual([]);
    expect(revocations.isRevoked(token({ sid: 's' }))).toBe(true);
    store.readOnly = undefined;
    await expect.poll(() => store.listRevocations({ limit: 9 })).toHaveLength(1);
  });
});

describe('entries of a newer version', () => {
  it('are skipped and counted, and those beside them count', async () => {
    const store = new MemoryStore();
    const entry = (changes: object): Revocation => ({
      id: crypto.randomUUID(),
      kind: 'sid',
      value: 's',
      before: null,
      createdAt: 0,
      expiresAt: null,
      ...changes,
    });
    const odd: string[] = [];
    for (const changes of [
      { kind: 'device' },
      { value: 7 },
      { before: 'tomorrow' },
      { expiresAt: undefined },
      { kind: '__proto__' },
    ])
      odd.push((await store.addRevocation(entry(changes))).id);
    await store.addRevocation(entry({ value: 'known', members: ['unknown'] }));
    const revocations = await open(store);
    expect([revocations.size, revocations.skipped]).toEqual([1, 5]);
    expect(revocations.isRevoked(token({ sid: 'known' }))).toBe(true);
    expect(revocations.isRevoked(token({ sid: 's' }))).toBe(false);
    for (const [index, id] of odd.entries()) {
      expect(await revocations.undo(id)).toBe(true);
      await expect.poll(() => revocations.skipped).toBe(4 - index);
    }
    await store.addRevocation(entry({ value: 'later' }));
    await expect.poll(() => revocations.isRevoked(token({ sid: 'later' }))).toBe(true);
  });

  it.each([
    ['before', { before: NaN }],
    ['expiresAt', { expiresAt: NaN }],
  ])('a %s that is no number means all tokens, for good', async (_member, changes) => {
    const store = new MemoryStore();
    const entry = { id: 'x', kind: 'sid', value: 's', before: null, createdAt: 0, expiresAt: null };
    await store.addRevocation({ ...entry, ...changes } as Revocation);
    const revocations = await open(store);
    expect(revocations.isRevoked(token({ sid: 's', iat: now() }))).toBe(true);
  });
});

describe('a store with a clock of its own', () => {
  const TIME = 1_800_000_000;
  /** Seconds by which this machine is ahead. */
  let ahead = 0;
  let steady = 0;
  beforeEach(() => {
    ahead = 0;
    steady = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => steady * 1000);
    vi.spyOn(Date, 'now').mockImplementation(() => (TIME + steady + ahead) * 1000);
  });
  class ClockedStore extends MemoryStore {
    readonly clock = new StoreClock();
    override async changes(cursor: string | undefined, limit: number): Promise<RevocationChanges> {
      this.clock.note(TIME + steady, performance.now(), performance.now());
      return super.changes(cursor, limit);
    }
  }
  const DAYS = 20 * 86_400;

  it.each([
    [DAYS, 0],
    [30, 0],
    [0, 0],
    [-2, -2],
    [-30, -10],
    [-DAYS, -10],
  ])(
    'with %i s of difference: the time is the store’s, tokens are of %i s',
    async (difference, issued) => {
      const revocations = await open(new ClockedStore(), { pollMs: 60_000 });
      ahead = difference;
      expect([revocations.now, revocations.clockSkew]).toEqual([TIME, difference]);
      expect(revocations.issueTime()).toBe(TIME + issued);
    },
  );

  it.each([DAYS, -DAYS])(
    'with %i s of difference: goes by the clock of the store',
    async (difference) => {
      const revocations = await open(new ClockedStore(), { pollMs: 60_000, maxStalenessMs: 1e9 });
      ahead = difference;
      const revoked = await revocations.revoke({ kind: 'sub', value: 'u', before: null });
      expect(revoked).toMatchObject({ createdAt: TIME, expiresAt: TIME + 600 + 3600 });
      expect(revocations.isRevoked(token({ sub: 'u' }))).toBe(true);
      steady = 600 + 3600;
      expect(revocations.isRevoked(token({ sub: 'u' }))).toBe(false);
    },
  );

  it('takes nothing for long past that is not by that clock, nor within minutes of a jump', async () => {
    const revocations = await open(new ClockedStore(), { pollMs: 60_000 });
    expect(revocations.isLongPast(TIME - DAYS)).toBe(false);
    steady = 601;
    expect([revocations.isLongPast(TIME - 2900), revocations.isLongPast(TIME - DAYS)]).toEqual([
      false,
      true,
    ]);
    ahead = DAYS;
    expect(revocations.isLongPast(TIME - DAYS)).toBe(false);
    steady += 601;
    expect([revocations.isLongPast(TIME), revocations.isLongPast(TIME - DAYS)]).toEqual([
      false,
      true,
    ]);
  });
});

describe('a store that tells of changes', () => {
  /** Answers a look when it is let. */
  class TellingStore extends MemoryStore {
    hint: () => void = () => undefined;
    looks = 0;
    private gate = Promise.resolve();
    watch(changed: () => void): void {
      this.hint = changed;
    }
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.gate = promise;
      return resolve;
    }
    override async changes(cursor: string | undefined, limit: number): Promise<RevocationChanges> {
      this.looks++;
      const changes = await super.changes(cursor, limit);
      await this.gate;
      return changes;
    }
  }

  it('is asked at once, once for many hints, and again for one that comes meanwhile', async () => {
    const store = new TellingStore();
    const revocations = await Revocations.open(store, { longestTokenTtl: 60, pollMs: 3_600_000 });
    const release = store.hold();
    const began = store.looks;
    for (let times = 0; times < 20; times++) store.hint();
    await expect.poll(() => store.looks, { interval: 5 }).toBe(began + 1);
    // The look that is under way has not seen this one.
    await store.addRevocation({
      id: 'a',
      kind: 'jti',
      value: 'v',
      before: null,
      createdAt: now(),
      expiresAt: null,
    });
    store.hint();
    release();
    await expect.poll(() => revocations.isRevoked(token({ jti: 'v' })), { interval: 5 }).toBe(true);
    expect(store.looks).toBe(began + 2);
    await revocations.onApplicationShutdown();
  });
});
