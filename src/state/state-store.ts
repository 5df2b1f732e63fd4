import type { Revocation, RevocationSubject } from '../core/revocation/index.js';
import type { SessionRecords } from './session-records.js';
import type { StoreClock } from './store-clock.js';

/** A place in the history of revocations; opaque, made by the store. */
export type ChangeCursor = string;

/** What happened to revocations since a cursor. */
export interface RevocationChanges {
  /**
   * True when the cursor belongs to another history: the store lost data, was restored or
   * exchanged. This answer then begins at the beginning.
   */
  readonly restarted: boolean;
  /** Where to go on. */
  readonly cursor: ChangeCursor;
  readonly added: readonly Revocation[];
  /** Entries that were undone. */
  readonly removed: readonly Pick<Revocation, 'id' | 'kind' | 'value'>[];
  /** There is more than `limit` allowed for: ask again at once. */
  readonly more: boolean;
  /** The store has lost revocations, and somebody is giving them back: there may be others than these. */
  readonly incomplete?: true;
}

/** Seconds for which a store is incomplete after a {@link StateStore.restore}, unless there is another one. */
export const RESTORE_SECONDS = 3;

/**
 * Seconds for which it is remembered that an entry was undone which would never have expired: who
 * does not see the store for longer keeps it.
 */
export const TOMBSTONE_SECONDS = 30 * 86_400;

/** The use of a refresh token. */
export interface RefreshUse {
  /** Names the token; consumed once. See `tokenDigest`. */
  readonly id: string;
  /** Seconds since 1970: from then on nobody accepts the token, so that its use can be forgotten. */
  readonly expiresAt: number;
  /** Everything the token could be revoked by. */
  readonly subject: RevocationSubject;
  /** Names the request: the same one again is told the same, because it may not have got the answer. */
  readonly nonce?: string;
}

/** What the first use of a refresh token leaves behind. */
export interface Replay {
  readonly value: string;
  /** Milliseconds, by the clock of the store, for which others get it; 0: they do not. */
  readonly ttlMs: number;
}

/** What becomes of a use, decided in one atomic step. */
export type RefreshOutcome =
  /** This was the first use, or is the same request again; for everybody else the token is consumed from now on. */
  | { readonly state: 'fresh' }
  /** Used before. `replay` is what the first use left for repetitions, while its time lasts. */
  | { readonly state: 'consumed'; readonly replay?: string }
  /** The token, or its whole session, is revoked. */
  | { readonly state: 'revoked' };

/** A counter of a window of time. */
export interface Hits {
  /** How many there were in the window, this one included. */
  readonly hits: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

/**
 * Where the gateway remembers what must outlive a request: revocations, consumed refresh tokens,
 * sessions, counters. Every implementation passes the same suite of tests. What a promise confirms has
 * happened for good: for SQLite it is on the disk, for Redis and PostgreSQL as durable as they are configured
 * to be.
 *
 * Every method rejects with `StateUnavailableException` (503 `state_unavailable`) when the store cannot do
 * its work, within a bounded time; with `StateReadOnlyException`, which is one, when it answers questions
 * but takes no writes; with `StateLoadingException`, which is one, too, when it is known that it takes nothing from
 * anybody until it has read its data.
 */
export interface StateStore extends SessionRecords {
  /** For messages: kind and place, without credentials. */
  readonly description: string;
  /** Who sees the same state: only this process, all processes of the machine, or all machines. */
  readonly scope: 'process' | 'machine' | 'network';
  /**
   * Why the store takes no writes at present, as far as it knows: it is full, or a replica. Left out while it
   * does. {@link changes} finds out.
   */
  readonly readOnly?: string | undefined;

  /**
   * The clock of a store that is on another machine, as far as it is known. Left out where the store has the clock
   * of this machine.
   */
  readonly clock?: StoreClock;

  /**
   * Remembers a revocation; once per `id`, however often it is told.
   *
   * @param reach in place of `before`: so many seconds from the moment at which the store does it, by its clock.
   * What is issued until then is meant, however long it took to get here, and also where that clock was set back since
   * @returns what is remembered from now on
   */
  addRevocation(revocation: Revocation, reach?: number): Promise<Revocation>;
  /**
   * Gives revocations back that the store confirmed and has lost; none: they follow. For {@link RESTORE_SECONDS}
   * from now it is incomplete.
   */
  restore(revocations: readonly Revocation[]): Promise<void>;
  /** Undoes a revocation. @returns what was undone; `undefined` when there is none with this id */
  removeRevocation(id: string): Promise<Revocation | undefined>;
  /**
   * Lists revocations that have not expired, the oldest first.
   *
   * @param after id of the last one of the page before
   */
  listRevocations(page: { after?: string; limit: number }): Promise<readonly Revocation[]>;
  /** What happened since `cursor`, in order; without one, everything. */
  changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges>;

  /**
   * Calls back soon after something has changed, where the store can tell: a hint, to ask for {@link changes} before
   * it is due. Some are lost, and some are about nothing.
   */
  watch?(changed: () => void): void;

  /** What {@link consume} would say now; changes nothing. */
  peek(use: RefreshUse): Promise<RefreshOutcome>;
  /**
   * Consumes a refresh token: of any number of uses at the same time exactly one is `fresh`. A promise that was
   * rejected before is not kept in secret: once it is rejected nothing is consumed any more by this call, and where
   * that had happened already, others get the replay, or the token is as before.
   *
   * @param replay left for repetitions
   */
  consume(use: RefreshUse, replay?: Replay): Promise<RefreshOutcome>;

  /**
   * The latest `exp` (seconds since 1970) that was ever noted, after noting `exp`: how long a
   * revocation has to be kept whose tokens are not known.
   */
  noteExpiry(exp: number): Promise<number>;

  /**
   * Keeps a value under a name, unless there is one already: of any number of callers at the same time
   * all get the value of one. Survives the processes, but need not survive a power failure.
   *
   * @param ttlMs how long it is kept, in milliseconds
   * @returns the value that is kept
   */
  putIfAbsent(name: string, value: string, ttlMs: number): Promise<string>;
  /** What {@link putIfAbsent} keeps under a name; `undefined` where there is nothing. */
  getKept(name: string): Promise<string | undefined>;

  /** Counts one hit of `key` in a window that begins with the first hit. Need not be durable. */
  hit(key: string, windowMs: number): Promise<Hits>;

  /** Releases connections and files. */
  close(): Promise<void>;
}
