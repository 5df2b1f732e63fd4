import { setTimeout as pause } from 'node:timers/promises';
import { REVOCATION_KINDS, type Revocation } from '../../core/revocation/index.js';
import { epochSeconds } from '../../core/time/index.js';
import { followClock, latestTime } from '../clock-record.js';
import { Forgetting } from '../forgetting.js';
import type { LatestExpiry } from './latest-expiry.js';
import { RevocationIndex } from './revocation-index.js';
import {
  StateLoadingException,
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import type { StateStore } from '../state-store.js';
import { StoreReports } from '../store-reports.js';

/** How the copy of the revocations in memory follows the store. */
export interface ReplicaOptions {
  /** Milliseconds between two polls of the store. Default 500. */
  pollMs?: number;
  /**
   * Milliseconds for which the copy is used while the store does not answer. Default 30000; at least 300000 while the
   * store loads its data after a restart.
   */
  maxStalenessMs?: number;
}

/** Changes per page. Larger pages would only take more memory. */
const PAGE = 1000;
/** Milliseconds for which the copy is used at least, while the store loads its data after a restart. */
const LONGEST_LOADING_MS = 300_000;
/** Number of revocations that a store gets back at a time. */
const RESTORED_AT_ONCE = 500;
/** Number of polls in which about all entries are checked for expiry once. */
const SWEEP_ROUND = 120;
/** Milliseconds from a hint of the store to the poll, which covers all hints until then. */
const HINT_MS = 50;
/** Entries that are not understood are counted up to this number. */
const MAX_FOREIGN = 10_000;

/** Checks an entry, since the store may hold entries of any version of Signet, and of other programs. */
const isUnderstood = (revocation: Revocation): boolean =>
  isNamed(revocation) && isTime(revocation.before) && isTime(revocation.expiresAt);
const isNamed = ({ id, kind, value }: Pick<Revocation, 'id' | 'kind' | 'value'>): boolean =>
  typeof id === 'string' && REVOCATION_KINDS.includes(kind) && typeof value === 'string';
const isTime = (value: unknown): boolean => value === null || typeof value === 'number';

/**
 * A copy of the store's revocations in the memory of this process, updated by polls. A store that lost data gets back
 * the revocations that it had confirmed.
 */
export class RevocationReplica {
  /** The entries of the copy. Checks are answered from them. */
  readonly index: RevocationIndex;
  private readonly pollMs: number;
  private readonly maxStalenessMs: number;
  private readonly forgetting: Forgetting;
  private cursor: string | undefined;
  /** Ids of revocations that this process is writing and no poll has returned yet. */
  private readonly writing = new Set<string>();
  /** Revocations that the store has confirmed to this process and no poll has returned yet. */
  private readonly unseen = new Map<string, Revocation>();
  /** True while the store has a new history and has not got back the entries that it lacks. */
  private lost = false;
  /** Number of histories of the store. Work for an earlier one stops. */
  private histories = 0;
  private givingBack: Promise<void> | undefined;
  /** Number of revocations that the store got back in its present history, in one or several attempts. */
  private givenBack = 0;
  /** False until a poll found the store with all its revocations. */
  private complete = false;
  /** Start of the last request that the store answered, by `performance.now()`. */
  private seenAt = -Infinity;
  /** Milliseconds until that answer. */
  private answeredIn = 0;
  private failing = false;
  /** True while the store loads its data. No process can revoke anything meanwhile. */
  private loading = false;
  private readonly reports: StoreReports;
  /** Latest time that the clock of this machine has shown, also if it was set back since; in seconds since 1970. */
  get reached(): number {
    this.clock = followClock(this.clock);
    return latestTime(this.clock);
  }

  /** Ids of entries of the store that this version does not understand. */
  private readonly foreign = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  /** True after a hint of the store, until the next poll. */
  private hinted = false;
  private closed = false;
  /** Record of the clock of this machine. */
  private clock = followClock(undefined);

  constructor(
    private readonly store: StateStore,
    private readonly expiry: LatestExpiry,
    options: ReplicaOptions,
  ) {
    this.index = new RevocationIndex(() => store.clock?.now ?? epochSeconds());
    this.forgetting = new Forgetting(store.clock);
    this.reports = new StoreReports(store);
    this.pollMs = options.pollMs ?? 500;
    this.maxStalenessMs = options.maxStalenessMs ?? 30_000;
  }

  /**
   * Reads all revocations and begins to follow the store.
   *
   * @throws StateUnavailableException when the store does not answer
   */
  async open(): Promise<void> {
    await this.readAll();
    this.reports.readOnly();
    this.scheduleNext();
    this.store.watch?.(() => this.hurry());
  }

  /** Seconds that the last answer of the store took. */
  get delaySeconds(): number {
    return this.answeredIn / 1000;
  }

  /** Number of entries of the store that this version of Signet does not understand, and leaves alone. */
  get skipped(): number {
    return this.foreign.size;
  }

  /** Seconds since the store was last seen; 0 while it answers. */
  get staleSeconds(): number {
    return this.failing ? (performance.now() - this.seenAt) / 1000 : 0;
  }

  /** True if a time (seconds since 1970) is certainly past, even if the clock was set wrong minutes ago. */
  isLongPast(time: number): boolean {
    const { horizon } = this.forgetting;
    return horizon !== undefined && time <= horizon;
  }

  /** @throws StateUnavailableException when the store has not answered for too long, or has not got back what it lost */
  assertFresh(): void {
    if (!this.complete)
      throw new StateUnavailableException(
        `the state store (${this.store.description}) lost revocations and is getting them back`,
      );
    if (performance.now() - this.seenAt > this.patienceMs)
      throw new StateUnavailableException(
        `the state store (${this.store.description}) has not answered for more than ${this.patienceMs / 1000} s`,
      );
  }

  /**
   * Adds a revocation to the copy as soon as the store confirms it. If a concurrent poll returns it earlier, no later
   * poll has to return it.
   *
   * @param id id of the revocation
   */
  async confirmed(id: string, write: () => Promise<Revocation>): Promise<Revocation> {
    this.writing.add(id);
    try {
      const revocation = await write();
      if (this.writing.has(id)) {
        this.unseen.set(id, revocation);
        this.index.add(revocation);
      }
      return revocation;
    } finally {
      this.writing.delete(id);
    }
  }

  /** Removes an entry that was just undone. @param undone what the store had under this id */
  undone(id: string, undone: Revocation | undefined): void {
    this.unseen.delete(id);
    if (undone !== undefined && isUnderstood(undone)) this.index.remove(undone);
  }

  /** Ends the polls. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Reads all revocations. A page that fails is read again, since reading millions of entries takes a while. */
  private async readAll(): Promise<void> {
    for (;;)
      try {
        return await this.readChanges();
      } catch (error) {
        const isStuck = performance.now() - this.seenAt > this.maxStalenessMs;
        if (!(error instanceof StateUnavailableException) || isStuck) throw error;
        await pause(this.pollMs);
      }
  }

  /** Milliseconds for which the copy is used without an answer of the store. */
  private get patienceMs(): number {
    return this.loading ? Math.max(LONGEST_LOADING_MS, this.maxStalenessMs) : this.maxStalenessMs;
  }

  private scheduleNext(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    const ms = this.hinted ? Math.min(HINT_MS, this.pollMs) : this.pollMs;
    this.timer = setTimeout(() => void this.poll(), ms).unref();
  }

  /** Brings the next poll forward. */
  private hurry(): void {
    if (this.hinted) return;
    this.hinted = true;
    // Without a timer a poll is under way. It may have read too early, and schedules another one soon.
    if (this.timer !== undefined) this.scheduleNext();
  }

  private async poll(): Promise<void> {
    this.timer = undefined;
    this.hinted = false;
    const { horizon } = this.forgetting;
    this.clock = followClock(this.clock);
    if (horizon !== undefined) this.index.sweep(Math.ceil(this.index.size / SWEEP_ROUND), horizon);
    try {
      await this.readChanges();
      if (this.failing) this.reports.answersAgain();
      this.failing = false;
      this.loading = false;
      this.reports.skew();
      this.reports.readOnly();
    } catch (error) {
      if (!this.closed) {
        this.failing = true;
        this.loading = error instanceof StateLoadingException;
        this.reports.failure(error, this.patienceMs);
      }
    }
    this.scheduleNext();
  }

  /** Reads the changes since the last poll. */
  private async readChanges(): Promise<void> {
    const confirmed = [...this.unseen.keys()];
    let more = true;
    while (more) {
      const asked = performance.now();
      const changes = await this.store.changes(this.cursor, PAGE);
      if (changes.restarted) {
        this.index.beginMarking();
        this.lost = true;
        this.givenBack = 0;
        this.histories++;
        this.expiry.tellAgain();
        this.foreign.clear();
        await this.write(() => this.store.restore([]));
      }
      for (const revocation of changes.added) {
        this.markReported(revocation.id);
        if (isUnderstood(revocation)) this.index.add(revocation);
        else this.skip(revocation.id);
      }
      for (const removed of changes.removed) {
        this.markReported(removed.id);
        if (isNamed(removed)) this.index.remove(removed);
        this.foreign.delete(removed.id);
      }
      this.cursor = changes.cursor;
      // Each page counts as an answer, however many there are.
      this.seenAt = asked;
      this.answeredIn = performance.now() - asked;
      ({ more } = changes);
      if (!more && changes.incomplete === undefined) this.complete = true;
    }
    if (this.lost) this.givingBack ??= this.giveBack();
    await this.write(() => this.tellStore(confirmed));
  }

  private markReported(id: string): void {
    this.writing.delete(id);
    this.unseen.delete(id);
  }

  /** Runs a write that may be refused while the store takes no writes, and is then made up for later. */
  private async write(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof StateReadOnlyException)) throw error;
    }
  }

  /**
   * @param confirmed ids of revocations that the store had confirmed before this poll, which should have returned them
   */
  private async tellStore(confirmed: readonly string[]): Promise<void> {
    // A crash of the store may have removed the end of its history, which no poll had read.
    const missing = confirmed.flatMap((id) => this.unseen.get(id) ?? []);
    if (missing.length > 0) await this.store.restore(missing);
    for (const { id } of missing) this.unseen.delete(id);
    await this.expiry.catchUp();
  }

  /** Gives a store that lost data what it had confirmed and does not know any more. The polls go on meanwhile. */
  private async giveBack(): Promise<void> {
    const { histories } = this;
    try {
      for (const batch of inBatches(this.index.unmarked())) {
        await this.store.restore(batch);
        if (this.closed || this.histories !== histories) return;
        // Another attempt goes on with the next batch.
        for (const revocation of batch) this.index.markAgain(revocation);
        this.givenBack += batch.length;
      }
      this.lost = false;
      this.reports.gaveBack(this.givenBack);
    } catch {
      // The next poll tries again, and logs the problem.
    } finally {
      this.givingBack = undefined;
    }
  }

  /** @param id id of an entry of a later version of Signet; the tokens that it revokes are not known */
  private skip(id: string): void {
    if (this.foreign.size === 0) this.reports.skipping();
    if (this.foreign.size < MAX_FOREIGN) this.foreign.add(id);
  }
}

function* inBatches(revocations: Iterable<Revocation>): Generator<Revocation[]> {
  let batch: Revocation[] = [];
  for (const revocation of revocations)
    if (batch.push(revocation) === RESTORED_AT_ONCE) {
      yield batch;
      batch = [];
    }
  if (batch.length > 0) yield batch;
}
