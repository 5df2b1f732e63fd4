import type { Revocation, RevocationSubject } from '../core/revocation/index.js';
import type { SessionRecords } from './session-records.js';
import type { StoreClock } from './store-clock.js';

/** An opaque position in the history of revocations, made by the store. */
export type ChangeCursor = string;

/** The changes of revocations since a cursor. */
export interface RevocationChanges {
  /**
   * True when the cursor belongs to another history: the store lost data, was restored or was replaced. The answer then
   * starts at the beginning of the new history.
   */
  readonly restarted: boolean;
  /** The cursor for the next call. */
  readonly cursor: ChangeCursor;
  readonly added: readonly Revocation[];
  /** Entries that were undone. */
  readonly removed: readonly Pick<Revocation, 'id' | 'kind' | 'value'>[];
  /** True when there are more changes than `limit`: ask again at once. */
  readonly more: boolean;
  /** True while the store is getting back revocations that it has lost: there may be others than it lists. */
  readonly incomplete?: true;
}

/** Seconds after the last {@link StateStore.restore} for which a store counts as incomplete. */
export const RESTORE_SECONDS = 3;

/**
 * Seconds for which a store remembers that an entry which never expires was undone. A process that does not reach the
 * store for longer keeps the entry.
 */
export const TOMBSTONE_SECONDS = 30 * 86_400;

/** The use of a refresh token. */
export interface RefreshUse {
  /** Digest of the token, see `tokenDigest`. It can be consumed once. */
  readonly id: string;
  /** From this time on (seconds since 1970) no gateway accepts the token, so that its use can be forgotten. */
  readonly expiresAt: number;
  /** All names by which the token can be revoked. */
  readonly subject: RevocationSubject;
  /**
   * Id of the request. Repeated with the same id, it gets the same outcome, since its first answer may have been lost.
   */
  readonly nonce?: string;
}

/** What the first use of a refresh token stores for repeated requests. */
export interface Replay {
  readonly value: string;
  /** Milliseconds, by the clock of the store, for which other requests get the value; 0: they do not get it. */
  readonly ttlMs: number;
}

/** The outcome of a use, decided in one atomic step. */
export type RefreshOutcome =
  /** The first use, or the same request again. For all other requests the token is consumed from now on. */
  | { readonly state: 'fresh' }
  /** The token was used before. `replay` is what the first use stored for repeated requests, until it expires. */
  | { readonly state: 'consumed'; readonly replay?: string }
  /** The token, or its whole session, is revoked. */
  | { readonly state: 'revoked' };

/** A counter of a window of time. */
export interface Hits {
  /** Number of hits in the window, this one included. */
  readonly hits: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

/**
 * Keeps the state that must outlive a request: revocations, consumed refresh tokens, sessions and counters. Every
 * implementation passes the same suite of tests. A promise resolves once its change is durable: with SQLite it is on
 * the disk, with Redis and PostgreSQL it is as durable as they are configured to be.
 *
 * Every method rejects with `StateUnavailableException` (503 `state_unavailable`) within a bounded time when the store
 * cannot do its work. Two subclasses say more: `StateReadOnlyException` when the store answers reads, but takes no
 * writes; `StateLoadingException` when it is known to accept nothing from any process until it has loaded its data.
 */
export interface StateStore extends SessionRecords {
  /** For messages: kind and place, without credentials. */
  readonly description: string;
  /** Which processes share the state: only this one, all of the machine, or those of all machines. */
  readonly scope: 'process' | 'machine' | 'network';
  /**
   * Why the store takes no writes at present, as far as it knows: it is full, or a replica. `undefined` while it takes
   * them. {@link changes} updates this.
   */
  readonly readOnly?: string | undefined;

  /**
   * What is known of the clock of a store on another machine. Left out by a store that uses the clock of this machine.
   */
  readonly clock?: StoreClock;

  /**
   * Stores a revocation. Repeated calls with the same `id` store it once.
   *
   * @param reach replaces `before` by the time at which the store does this, by its own clock, plus this number of
   * seconds. So all tokens issued until then are revoked, however long the call took to reach the store, and also if
   * its clock was set back after they were issued
   * @returns the revocation as it is stored
   */
  addRevocation(revocation: Revocation, reach?: number): Promise<Revocation>;
  /**
   * Gives back revocations that the store confirmed and has lost. An empty list announces that they follow. For
   * {@link RESTORE_SECONDS} from now the store is incomplete.
   */
  restore(revocations: readonly Revocation[]): Promise<void>;
  /** Undoes a revocation. @returns the revocation; `undefined` when there is none with this id */
  removeRevocation(id: string): Promise<Revocation | undefined>;
  /**
   * Lists revocations that have not expired, the oldest first.
   *
   * @param page `after`: id of the last entry of the previous page
   */
  listRevocations(page: { after?: string; limit: number }): Promise<readonly Revocation[]>;
  /** Returns the changes since `cursor`, in order; without a cursor, all of them. */
  changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges>;

  /**
   * Calls `changed` soon after a change, if the store can tell: a hint to call {@link changes} before the next poll is
   * due. Some hints are lost, and some come without a change.
   */
  watch?(changed: () => void): void;

  /** Returns what {@link consume} would return now, and changes nothing. */
  peek(use: RefreshUse): Promise<RefreshOutcome>;
  /**
   * Consumes a refresh token: of any number of concurrent uses exactly one is `fresh`. A call whose promise was
   * rejected consumes nothing afterwards. If it had consumed the token before that, other requests get the replay, or
   * the store has undone the use.
   *
   * @param replay what repeated requests get
   */
  consume(use: RefreshUse, replay?: Replay): Promise<RefreshOutcome>;

  /**
   * Notes an `exp` (seconds since 1970). A revocation whose tokens are not known is kept until the latest one.
   *
   * @returns the latest `exp` ever noted, this one included
   */
  noteExpiry(exp: number): Promise<number>;

  /**
   * Stores a value under a name, unless there is one already. Concurrent callers all get the same value, that of one of
   * them. The value survives the processes, but need not survive a power failure.
   *
   * @param ttlMs how long it is kept, in milliseconds
   * @returns the value that is kept
   */
  putIfAbsent(name: string, value: string, ttlMs: number): Promise<string>;
  /** Returns the value that {@link putIfAbsent} keeps under a name; `undefined` where there is none. */
  getKept(name: string): Promise<string | undefined>;

  /** Counts one hit of `key` in a window that begins with the first hit. Need not be durable. */
  hit(key: string, windowMs: number): Promise<Hits>;

  /** Releases connections and files. */
  close(): Promise<void>;
}
