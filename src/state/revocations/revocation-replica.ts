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

/** How the view follows the store. */
export interface ReplicaOptions {
  /** Milliseconds between two looks at the store. Default 500. */
  pollMs?: number;
  /**
   * Milliseconds for which the view serves while the store does not answer. Default 30000; where the store says that it
   * reads its data after a start, 300000.
   */
  maxStalenessMs?: number;
}

/** More at a time would only be more memory. */
const PAGE = 1000;
/** For so long the view serves while the store reads its data after a start. */
const LONGEST_LOADING_MS = 300_000;
/** Revocations that a store gets back at a time. */
const RESTORED_AT_ONCE = 500;
/** A whole round of looks at every entry, in polls. */
const SWEEP_ROUND = 120;
/** Milliseconds from a hint of the store to the poll, which is for all hints until then. */
const HINT_MS = 50;
/** Of more entries than that, it is not counted that they are not understood. */
const MAX_FOREIGN = 10_000;

/** The store holds what any version of Signet wrote, and what anybody else did. */
const isUnderstood = (revocation: Revocation): boolean =>
  isNamed(revocation) && isTime(revocation.before) && isTime(revocation.expiresAt);
const isNamed = ({ id, kind, value }: Pick<Revocation, 'id' | 'kind' | 'value'>): boolean =>
  typeof id === 'string' && REVOCATION_KINDS.includes(kind) && typeof value === 'string';
const isTime = (value: unknown): boolean => value === null || typeof value === 'number';

/**
 * A copy of the store's revocations in the memory of this process, brought up to date by polls. A store that lost
 * data gets back what it confirmed before.
 */
export class RevocationReplica {
  /** What is answered from. */
  readonly index: RevocationIndex;
  private readonly pollMs: number;
  private readonly maxStalenessMs: number;
  private readonly forgetting: Forgetting;
  private cursor: string | undefined;
  /** Ids of what is being written here and the store has not told of yet. */
  private readonly writing = new Set<string>();
  /** What the store confirmed here and has not told of yet. */
  private readonly unseen = new Map<string, Revocation>();
  /** The store has a new history: what it does not tell of has to be given back. */
  private lost = false;
  /** Counts the histories, so that what belongs to an earlier one ends. */
  private histories = 0;
  private givingBack: Promise<void> | undefined;
  /** How many the store has got back of its history, in one try or several. */
  private givenBack = 0;
  /** False until the store was seen in a state in which it had everything. */
  private complete = false;
  /** When the store was last asked for what it then told, by the monotonic clock. */
  private seenAt = -Infinity;
  /** Milliseconds that this took. */
  private answeredIn = 0;
  private failing = false;
  /** The store reads its data: nobody revokes anything meanwhile. */
  private loading = false;
  private readonly reports: StoreReports;
  /** Seconds since 1970 that the clock of this machine has shown, also where it was set back since. */
  get reached(): number {
    this.clock = followClock(this.clock);
    return latestTime(this.clock);
  }

  /** Entries of the store that this version does not understand, by id. */
  private readonly foreign = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  /** The store said that something has changed, and has not been asked since. */
  private hinted = false;
  private closed = false;
  /** The clock of this machine. */
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

  /** Entries of the store that this version of Signet does not understand, and leaves alone. */
  get skipped(): number {
    return this.foreign.size;
  }

  /** Seconds since the store was last seen; 0 while it answers. */
  get staleSeconds(): number {
    return this.failing ? (performance.now() - this.seenAt) / 1000 : 0;
  }

  /** Whether a time (seconds since 1970) is past for certain, also if the clock was set wrong minutes ago. */
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
   * Takes in the revocation of this id as soon as the store confirms it. A poll beside it may tell of it before: then
   * the store need not tell of it again.
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

  /** Takes out what was undone just now; `undone` is what the store had under this id. */
  undone(id: string, undone: Revocation | undefined): void {
    this.unseen.delete(id);
    if (undone !== undefined && isUnderstood(undone)) this.index.remove(undone);
  }

  /** Ends the polls. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Millions take a while, in which one page may fail. */
  private async readAll(): Promise<void> {
    for (;;)
      try {
        return await this.look();
      } catch (error) {
        const isStuck = performance.now() - this.seenAt > this.maxStalenessMs;
        if (!(error instanceof StateUnavailableException) || isStuck) throw error;
        await pause(this.pollMs);
      }
  }

  /** Milliseconds for which the view serves without an answer of the store. */
  private get patienceMs(): number {
    return this.loading ? Math.max(LONGEST_LOADING_MS, this.maxStalenessMs) : this.maxStalenessMs;
  }

  private scheduleNext(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    const ms = this.hinted ? Math.min(HINT_MS, this.pollMs) : this.pollMs;
    this.timer = setTimeout(() => void this.poll(), ms).unref();
  }

  /** Polls soon instead of when it is due. */
  private hurry(): void {
    if (this.hinted) return;
    this.hinted = true;
    // One that is under way may have looked too early, and is followed by another.
    if (this.timer !== undefined) this.scheduleNext();
  }

  private async poll(): Promise<void> {
    this.timer = undefined;
    this.hinted = false;
    const { horizon } = this.forgetting;
    this.clock = followClock(this.clock);
    if (horizon !== undefined) this.index.sweep(Math.ceil(this.index.size / SWEEP_ROUND), horizon);
    try {
      await this.look();
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

  /** Takes in everything that happened since the last look. */
  private async look(): Promise<void> {
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
        this.told(revocation.id);
        if (isUnderstood(revocation)) this.index.add(revocation);
        else this.skip(revocation.id);
      }
      for (const removed of changes.removed) {
        this.told(removed.id);
        if (isNamed(removed)) this.index.remove(removed);
        this.foreign.delete(removed.id);
      }
      this.cursor = changes.cursor;
      // A page is an answer, however many there are.
      this.seenAt = asked;
      this.answeredIn = performance.now() - asked;
      ({ more } = changes);
      if (!more && changes.incomplete === undefined) this.complete = true;
    }
    if (this.lost) this.givingBack ??= this.giveBack();
    await this.write(() => this.tellStore(confirmed));
  }

  private told(id: string): void {
    this.writing.delete(id);
    this.unseen.delete(id);
  }

  /** Writes what can wait: it will be told as soon as the store takes writes; what it knows was read. */
  private async write(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof StateReadOnlyException)) throw error;
    }
  }

  /** @param confirmed ids of what the store confirmed before the look, and should have told of in it */
  private async tellStore(confirmed: readonly string[]): Promise<void> {
    // A crash of the store may take away the end of its history, which nobody had seen.
    const missing = confirmed.flatMap((id) => this.unseen.get(id) ?? []);
    if (missing.length > 0) await this.store.restore(missing);
    for (const { id } of missing) this.unseen.delete(id);
    await this.expiry.catchUp();
  }

  /** The store lost data: it gets back what it confirmed before and does not know any more. The polls go on meanwhile. */
  private async giveBack(): Promise<void> {
    const { histories } = this;
    try {
      for (const batch of inBatches(this.index.unmarked())) {
        await this.store.restore(batch);
        if (this.closed || this.histories !== histories) return;
        // Another try goes on with the next one.
        for (const revocation of batch) this.index.markAgain(revocation);
        this.givenBack += batch.length;
      }
      this.lost = false;
      this.reports.gaveBack(this.givenBack);
    } catch {
      // The next poll tries again, and tells what is wrong.
    } finally {
      this.givingBack = undefined;
    }
  }

  /** @param id of an entry that a later version of Signet wrote; the tokens that it means are not known */
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
