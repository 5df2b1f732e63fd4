import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { OnApplicationShutdown } from '@nestjs/common';
import { epochSeconds, nowSeconds } from '../core/time/index.js';
import {
  LATEST_EXPIRY,
  LONGEST_LEEWAY,
  nameOf,
  qualifiedName,
  REVOCATION_KINDS,
  sessionName,
  timeOf,
  tokenAge,
  tokenDigest,
  type Revocation,
  type RevocationKind,
  type TokenNames,
} from '../core/revocation/index.js';
import { Forgetting } from './forgetting.js';
import { RevocationIndex } from './revocation-index.js';
import {
  StateLoadingException,
  StateReadOnlyException,
  StateUnavailableException,
} from './state-unavailable.exception.js';
import type { StateStore } from './state-store.js';
import { LARGEST_SKEW, StoreReports } from './store-reports.js';

/** How the view follows the store. */
export interface RevocationsOptions {
  /** Seconds: the longest lifetime that tokens are given without an `exp` of their own. */
  longestTokenTtl: number;
  /** Seconds that the `iat` of a token may lie ahead, as `leeway` of `AuthModule` says. Default 1. */
  leeway?: number;
  /** Milliseconds between two looks at the store. Default 500. */
  pollMs?: number;
  /**
   * Milliseconds for which the view serves while the store does not answer. Default 30000; where the store says that it
   * reads its data after a start, 300000.
   */
  maxStalenessMs?: number;
}

/** What is to be revoked. */
export interface RevocationRequest {
  readonly kind: RevocationKind;
  /** The claim's value as text; see `claimText`. */
  readonly value: string;
  /**
   * Seconds since 1970: only tokens with an earlier `iat` are meant, for `sub` those of sessions that began
   * earlier. `null`: all. Left out: for `sub` all until the store has it, that second of its clock and the
   * leeway included; for others all.
   */
  readonly before?: number | null;
  /** For people. */
  readonly reason?: string;
  /**
   * Seconds since 1970: when the last token that is meant has expired. Left out: as late as any
   * token known could live; for `kid` never, since who has a leaked key can write any `exp`.
   */
  readonly expiresAt?: number | null;
}

/** More at a time would only be more memory. */
const PAGE = 1000;
/** For so long the view serves while the store reads its data after a start. */
const LONGEST_LOADING_MS = 300_000;
/** Revocations that a store gets back at a time. */
const RESTORED_AT_ONCE = 500;
/** A whole round of looks at every entry, in polls. */
const SWEEP_ROUND = 120;
const HOUR = 3600;
/** Milliseconds from a hint of the store to the poll, which is for all hints until then. */
const HINT_MS = 50;
/** Of more entries than that, it is not counted that they are not understood. */
const MAX_FOREIGN = 10_000;

/** The store holds what any version of Signet wrote, and what anybody else did. */
const isUnderstood = ({ id, kind, value, before, expiresAt }: Revocation): boolean =>
  typeof id === 'string' &&
  REVOCATION_KINDS.includes(kind) &&
  typeof value === 'string' &&
  isTime(before) &&
  isTime(expiresAt);
const isTime = (value: unknown): boolean => value === null || typeof value === 'number';

/**
 * The revocations of the state store as this process sees them, and the way to change them.
 * Questions are answered from memory. What other processes revoke is seen after at most one poll;
 * what this one does, at once.
 */
export class Revocations implements OnApplicationShutdown {
  private readonly index = new RevocationIndex();
  private readonly leeway: number;
  private readonly pollMs: number;
  private readonly maxStalenessMs: number;
  private readonly forgetting = new Forgetting();
  private cursor: string | undefined;
  /** What the store confirmed here and has not told of yet. */
  private readonly unseen = new Map<string, Revocation>();
  /** The store has a new history: what it does not tell of has to be given back. */
  private lost = false;
  /** Counts the histories, so that what belongs to an earlier one ends. */
  private histories = 0;
  private givingBack: Promise<void> | undefined;
  /** False until the store was seen in a state in which it had everything. */
  private complete = false;
  /** Latest `exp` of any token, rounded up; `noted` is what the store knows of it. */
  private latestExpiry = 0;
  private noted = 0;
  /** When the store was last asked for what it then told, by the monotonic clock. */
  private seenAt = -Infinity;
  /** Milliseconds that this took. */
  private answeredIn = 0;
  private failing = false;
  /** The store reads its data: nobody revokes anything meanwhile. */
  private loading = false;
  private readonly reports: StoreReports;
  /** Entries of the store that this version does not understand, by id. */
  private readonly foreign = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  /** The store said that something has changed, and has not been asked since. */
  private hinted = false;
  private closed = false;

  private constructor(
    private readonly store: StateStore,
    private readonly options: RevocationsOptions,
  ) {
    this.reports = new StoreReports(store);
    this.leeway = options.leeway ?? 1;
    this.pollMs = options.pollMs ?? 500;
    this.maxStalenessMs = options.maxStalenessMs ?? 30_000;
  }

  /**
   * Reads all revocations and begins to follow the store.
   *
   * @throws StateUnavailableException when the store does not answer
   */
  static async open(store: StateStore, options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(store, options);
    await revocations.readAll();
    revocations.reports.readOnly();
    revocations.scheduleNext();
    store.watch?.(() => revocations.hurry());
    return revocations;
  }

  /** Revocations in force. */
  get size(): number {
    return this.index.size;
  }

  /** The same by what they name. */
  get sizes(): Readonly<Record<RevocationKind, number>> {
    return this.index.sizes;
  }

  /** The store, for messages: kind and place, without credentials. */
  get storeDescription(): string {
    return this.store.description;
  }

  /** Seconds that the last answer of the store took. */
  get delaySeconds(): number {
    return this.answeredIn / 1000;
  }

  /**
   * Why the store takes no writes at present; `undefined` while it does. Tokens are validated all the same;
   * what has to write is refused with 503.
   */
  get readOnly(): string | undefined {
    return this.store.readOnly;
  }

  /** Entries of the store that this version of Signet does not understand, and leaves alone. */
  get skipped(): number {
    return this.foreign.size;
  }

  /** Seconds since the store was last seen; 0 while it answers. */
  get staleSeconds(): number {
    return this.failing ? (performance.now() - this.seenAt) / 1000 : 0;
  }

  /** Seconds by which the clock of this machine is ahead of the store's, at least; negative: behind. */
  get clockSkew(): number {
    return this.store.clock?.skew ?? 0;
  }

  /**
   * The time to write into tokens, in whole seconds since 1970: never ahead of the store's clock, which decides what
   * a revocation means.
   */
  issueTime(): number {
    return Math.floor(Math.min(epochSeconds(), this.store.clock?.earliest ?? Infinity));
  }

  /**
   * Whether a token is revoked. Takes microseconds, whatever the number of revocations.
   *
   * @throws StateUnavailableException when the store has not answered for so long that the view proves nothing
   */
  isRevoked(token: TokenNames): boolean {
    this.assertFresh();
    const { index } = this;
    if (index.size === 0) return false;
    const { issuer, kid } = token;
    const age = tokenAge(token);
    const names = (kind: RevocationKind, value: string | undefined): boolean =>
      value !== undefined && index.isRevoked(kind, value, timeOf(age, kind));
    return (
      (index.hasKind('jti') &&
        (names('jti', nameOf(token, 'jti')) || names('jti', tokenDigest(token)))) ||
      (index.hasKind('sub') && names('sub', nameOf(token, 'sub'))) ||
      (index.hasKind('sid') && names('sid', sessionName(token))) ||
      (index.hasKind('kid') &&
        names('kid', kid === undefined ? undefined : qualifiedName(issuer, kid)))
    );
  }

  /** @throws StateUnavailableException when not all revocations are known, or the clock is too far from the store's */
  assertReady(): void {
    this.assertFresh();
    if (Math.abs(this.clockSkew) > LARGEST_SKEW)
      throw new StateUnavailableException(
        `the clock differs by ${this.clockSkew.toFixed(1)} s from that of the state store (${this.store.description})`,
      );
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
   * Revokes all tokens that carry a claim. Once this resolves, the store has it for good.
   *
   * @throws StateUnavailableException
   */
  async revoke(request: RevocationRequest): Promise<Revocation> {
    const { kind, value, reason } = request;
    const now = nowSeconds();
    const untilNow = request.before === undefined && kind === 'sub';
    const told: Revocation = {
      id: randomUUID(),
      kind,
      value: value.toWellFormed(),
      before: request.before ?? null,
      reason,
      createdAt: now,
      expiresAt:
        request.expiresAt === undefined ? await this.expiryOf(kind, now) : request.expiresAt,
    };
    const revocation = await this.store.addRevocation(told, untilNow ? this.leeway + 1 : undefined);
    this.unseen.set(revocation.id, revocation);
    this.index.add(revocation);
    return revocation;
  }

  /** Undoes a revocation. @returns false when there is none with this id @throws StateUnavailableException */
  async undo(id: string): Promise<boolean> {
    const undone = await this.store.removeRevocation(id);
    this.unseen.delete(id);
    if (undone !== undefined && isUnderstood(undone)) this.index.remove(undone);
    return undone !== undefined;
  }

  /**
   * Revocations in force, the oldest first.
   *
   * @param page `after`: id of the last one of the page before
   * @throws StateUnavailableException
   */
  list(page: { after?: string; limit: number }): Promise<readonly Revocation[]> {
    return this.store.listRevocations(page);
  }

  /** Tells that there is a token which expires at `exp` (seconds since 1970). */
  noteExpiry(exp: number): void {
    const known = Math.min(exp, LATEST_EXPIRY);
    if (known <= this.latestExpiry) return;
    this.latestExpiry = Math.min(LATEST_EXPIRY, Math.ceil(known / HOUR) * HOUR);
    // A failure is made good by the next poll.
    this.noteLatestExpiry().catch(() => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.store.close();
  }

  /** Signed elsewhere, read from the store: whatever token anybody has seen is dead by then. */
  private async expiryOf(kind: RevocationKind, now: number): Promise<number | null> {
    if (kind === 'kid') return null;
    await this.noteLatestExpiry();
    return Math.max(this.latestExpiry, now + this.options.longestTokenTtl) + LONGEST_LEEWAY;
  }

  private async noteLatestExpiry(): Promise<void> {
    const { latestExpiry } = this;
    const latest = await this.store.noteExpiry(latestExpiry);
    this.noted = Math.max(this.noted, latestExpiry);
    this.latestExpiry = Math.max(this.latestExpiry, latest);
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
        this.histories++;
        this.noted = 0;
        this.foreign.clear();
        await this.write(() => this.store.restore([]));
      }
      for (const revocation of changes.added) {
        this.unseen.delete(revocation.id);
        if (isUnderstood(revocation)) this.index.add(revocation);
        else this.skip(revocation.id);
      }
      for (const removed of changes.removed) {
        this.unseen.delete(removed.id);
        if (REVOCATION_KINDS.includes(removed.kind)) this.index.remove(removed);
        else this.foreign.delete(removed.id);
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
    if (this.noted < this.latestExpiry || this.latestExpiry === 0) await this.noteLatestExpiry();
  }

  /** The store lost data: it gets back what it confirmed before and does not know any more. The polls go on meanwhile. */
  private async giveBack(): Promise<void> {
    const { histories } = this;
    let count = 0;
    try {
      for (const batch of inBatches(this.index.unmarked())) {
        if (this.closed || this.histories !== histories) return;
        await this.store.restore(batch);
        count += batch.length;
      }
      this.lost = false;
      this.index.endMarking();
      this.reports.gaveBack(count);
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
