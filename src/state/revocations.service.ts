import { randomUUID } from 'node:crypto';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { toNumber } from '../core/json/index.js';
import { AtMostEvery, nowSeconds } from '../core/time/index.js';
import {
  LATEST_EXPIRY,
  LONGEST_LEEWAY,
  nameOf,
  qualifiedName,
  REVOCATION_KINDS,
  sessionName,
  tokenDigest,
  type Revocation,
  type RevocationKind,
  type TokenNames,
} from '../core/revocation/index.js';
import { RevocationIndex } from './revocation-index.js';
import type { Slot } from './slot-table.js';
import {
  StateReadOnlyException,
  StateUnavailableException,
} from './state-unavailable.exception.js';
import type { StateStore } from './state-store.js';

/** How the view follows the store. */
export interface RevocationsOptions {
  /** Seconds: the longest lifetime that tokens are given without an `exp` of their own. */
  longestTokenTtl: number;
  /** Seconds that the `iat` of a token may lie ahead, as `leeway` of `AuthModule` says. Default 1. */
  leeway?: number;
  /** Milliseconds between two looks at the store. Default 500. */
  pollMs?: number;
  /** Milliseconds for which the view serves while the store does not answer. Default 30000. */
  maxStalenessMs?: number;
}

/** What is to be revoked. */
export interface RevocationRequest {
  readonly kind: RevocationKind;
  /** The claim's value as text; see `claimText`. */
  readonly value: string;
  /**
   * Seconds since 1970: only tokens with an earlier `iat` are meant. `null`: all. Left out: for
   * `sub` what was issued until now, this second and the leeway included; for others all.
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

const PAGE = 2000;
const LOG_EVERY_MS = 60_000;
/** A whole round of looks at every entry, in polls. */
const SWEEP_ROUND = 120;
const HOUR = 3600;
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
  private static readonly logger = new Logger(Revocations.name);
  private readonly index = new RevocationIndex();
  private readonly leeway: number;
  private readonly pollMs: number;
  private readonly maxStalenessMs: number;
  private cursor: string | undefined;
  /** While a new history of the store is being read: the entries that it knows, too. */
  private known: Set<Slot> | undefined;
  /** Latest `exp` of any token, rounded up; `noted` is what the store knows of it. */
  private latestExpiry = 0;
  private noted = 0;
  /** Begin of the last complete look at the store, by the monotonic clock. */
  private seenAt = -Infinity;
  private failing = false;
  private readonly log = new AtMostEvery(LOG_EVERY_MS);
  /** Whether it was told that the store takes no writes. */
  private toldReadOnly = false;
  /** Entries of the store that this version does not understand, by id. */
  private readonly foreign = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  private constructor(
    private readonly store: StateStore,
    private readonly options: RevocationsOptions,
  ) {
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
    await revocations.look();
    revocations.tellReadOnly();
    revocations.scheduleNext();
    return revocations;
  }

  /** Revocations in force. */
  get size(): number {
    return this.index.size;
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

  /**
   * Whether a token is revoked. Takes microseconds, whatever the number of revocations.
   *
   * @throws StateUnavailableException when the store has not answered for so long that the view proves nothing
   */
  isRevoked(token: TokenNames): boolean {
    this.assertFresh();
    const { index } = this;
    if (index.size === 0) return false;
    const { claims, issuer, kid } = token;
    const names = (kind: RevocationKind, value: string | undefined): boolean =>
      value !== undefined && index.isRevoked(kind, value, toNumber(claims.iat));
    return (
      (index.hasKind('jti') &&
        (names('jti', nameOf(token, 'jti')) || names('jti', tokenDigest(token)))) ||
      (index.hasKind('sub') && names('sub', nameOf(token, 'sub'))) ||
      (index.hasKind('sid') && names('sid', sessionName(token))) ||
      (index.hasKind('kid') &&
        names('kid', kid === undefined ? undefined : qualifiedName(issuer, kid)))
    );
  }

  /** @throws StateUnavailableException when the store has not answered for too long */
  assertFresh(): void {
    if (performance.now() - this.seenAt > this.maxStalenessMs)
      throw new StateUnavailableException(
        `the state store (${this.store.description}) has not answered for more than ${this.maxStalenessMs / 1000} s`,
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
    const untilNow = kind === 'sub' ? now + this.leeway + 1 : null;
    const revocation: Revocation = {
      id: randomUUID(),
      kind,
      value: value.toWellFormed(),
      before: request.before === undefined ? untilNow : request.before,
      reason,
      createdAt: now,
      expiresAt:
        request.expiresAt === undefined ? await this.expiryOf(kind, now) : request.expiresAt,
    };
    await this.store.addRevocation(revocation);
    this.index.add(revocation);
    return revocation;
  }

  /** Undoes a revocation. @returns false when there is none with this id @throws StateUnavailableException */
  async undo(id: string): Promise<boolean> {
    const undone = await this.store.removeRevocation(id);
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

  private scheduleNext(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => void this.poll(), this.pollMs).unref();
  }

  private async poll(): Promise<void> {
    this.index.sweep(Math.ceil(this.index.size / SWEEP_ROUND));
    try {
      await this.look();
      if (this.failing)
        Revocations.logger.log(`The state store (${this.store.description}) answers again`);
      this.failing = false;
      this.tellReadOnly();
    } catch (error) {
      if (!this.closed) this.complain(error);
    }
    this.scheduleNext();
  }

  /** Takes in everything that happened since the last look. */
  private async look(): Promise<void> {
    const began = performance.now();
    let more = true;
    while (more) {
      const changes = await this.store.changes(this.cursor, PAGE);
      if (changes.restarted) {
        this.known = new Set();
        this.noted = 0;
        this.foreign.clear();
      }
      for (const revocation of changes.added) {
        if (!isUnderstood(revocation)) {
          this.skip(revocation);
          continue;
        }
        const slot = this.index.add(revocation);
        this.known?.add(slot);
      }
      for (const removed of changes.removed)
        if (REVOCATION_KINDS.includes(removed.kind)) this.index.remove(removed);
        else this.foreign.delete(removed.id);
      this.cursor = changes.cursor;
      ({ more } = changes);
    }
    try {
      await this.tellStore();
    } catch (error) {
      // It will be told as soon as it takes writes; what it knows was read.
      if (!(error instanceof StateReadOnlyException)) throw error;
    }
    this.seenAt = began;
  }

  /** Writes what the store has to know and does not. */
  private async tellStore(): Promise<void> {
    if (this.known !== undefined) await this.giveBack(this.known);
    this.known = undefined;
    if (this.noted < this.latestExpiry || this.latestExpiry === 0) await this.noteLatestExpiry();
  }

  /** The store lost data: it gets back what it confirmed before and does not know any more. */
  private async giveBack(known: ReadonlySet<Slot>): Promise<void> {
    let count = 0;
    for (const { slot, revocation } of this.index.entries()) {
      if (known.has(slot)) continue;
      await this.store.addRevocation(revocation);
      count++;
    }
    Revocations.logger.warn(
      `The state store (${this.store.description}) has a new history; it got back ${count} revocations`,
    );
  }

  /** @param entry of a later version of Signet; the tokens that it means are not known */
  private skip(entry: Pick<Revocation, 'id'>): void {
    if (this.foreign.size === 0)
      Revocations.logger.warn(
        `The state store (${this.store.description}) holds revocations of a newer version of Signet, which are left out here`,
      );
    if (this.foreign.size < MAX_FOREIGN) this.foreign.add(entry.id);
  }

  private tellReadOnly(): void {
    const { readOnly, description } = this.store;
    if (readOnly === undefined) {
      if (this.toldReadOnly)
        Revocations.logger.log(`The state store (${description}) takes writes again`);
      this.toldReadOnly = false;
    } else if (!this.toldReadOnly) {
      this.toldReadOnly = true;
      Revocations.logger.error(
        `The state store (${description}) takes no writes: ${readOnly}; tokens are validated, and what has to write (refresh, revocation, logout) is answered with 503`,
      );
    }
  }

  private complain(error: unknown): void {
    this.failing = true;
    if (!this.log.due()) return;
    const reason =
      error instanceof StateUnavailableException
        ? (error.details.explanation ?? '')
        : 'unexpected error';
    Revocations.logger.error(
      `State: ${reason}; revocations seen so far are used for at most ${this.maxStalenessMs / 1000} s`,
    );
  }
}
