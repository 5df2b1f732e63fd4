import { randomUUID } from 'node:crypto';
import type { OnApplicationShutdown } from '@nestjs/common';
import { epochSeconds } from '../../core/time/index.js';
import {
  LONGEST_LEEWAY,
  nameOf,
  qualifiedName,
  sessionName,
  comparedTime,
  tokenAge,
  tokenDigest,
  type Revocation,
  type RevocationKind,
  type TokenNames,
} from '../../core/revocation/index.js';
import { LatestExpiry } from './latest-expiry.js';
import { RevocationReplica, type ReplicaOptions } from './revocation-replica.js';
import { StateUnavailableException } from '../state-unavailable.exception.js';
import type { StateStore } from '../state-store.js';
import { LARGEST_SKEW } from '../store-reports.js';

/** How the copy of the revocations in memory follows the store. */
export interface RevocationsOptions extends ReplicaOptions {
  /** Longest lifetime, in seconds, that is given to tokens without an `exp` of their own. */
  longestTokenTtl: number;
  /** Seconds by which the `iat` of a token may lie ahead: `leeway` of `AuthModule`. Default 1. */
  leeway?: number;
}

/** The argument of {@link Revocations.revoke}. */
export interface RevocationRequest {
  readonly kind: RevocationKind;
  /** The claim's value as text; see `claimText`. */
  readonly value: string;
  /**
   * Seconds since 1970: only tokens with an earlier `iat` are revoked; for `sub` those of sessions that began earlier.
   * `null`: all. Default for `sub`: all until the store has the revocation, including that second of its clock and the
   * leeway. Default for other kinds: all.
   */
  readonly before?: number | null;
  /** Text for the people who read the list. */
  readonly reason?: string;
  /**
   * Seconds since 1970: the time at which the last of the revoked tokens has expired. `null`: never. Default: the
   * latest time until which any known token could live; for `kid` never, since an attacker with a leaked key can write
   * any `exp`.
   */
  readonly expiresAt?: number | null;
}

/**
 * Checks tokens against the revocations of the state store, and changes these. Checks are answered from memory.
 * Revocations by other processes count after one poll at most, those by this process at once.
 */
export class Revocations implements OnApplicationShutdown {
  private readonly leeway: number;
  private readonly expiry: LatestExpiry;
  private readonly replica: RevocationReplica;

  private constructor(
    private readonly store: StateStore,
    private readonly options: RevocationsOptions,
  ) {
    this.leeway = options.leeway ?? 1;
    this.expiry = new LatestExpiry(store);
    this.replica = new RevocationReplica(store, this.expiry, options);
  }

  /**
   * Reads all revocations and begins to follow the store.
   *
   * @throws StateUnavailableException when the store does not answer
   */
  static async open(store: StateStore, options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(store, options);
    await revocations.replica.open();
    return revocations;
  }

  /** Number of revocations in force. */
  get size(): number {
    return this.replica.index.size;
  }

  /** Number of revocations in force, by kind. */
  get sizes(): Readonly<Record<RevocationKind, number>> {
    return this.replica.index.sizes;
  }

  /** The store, for messages: kind and place, without credentials. */
  get storeDescription(): string {
    return this.store.description;
  }

  /** Seconds that the last answer of the store took. */
  get delaySeconds(): number {
    return this.replica.delaySeconds;
  }

  /**
   * Why the store takes no writes at present; `undefined` while it takes them. Tokens are still validated; requests
   * that need a write are refused with 503.
   */
  get readOnly(): string | undefined {
    return this.store.readOnly;
  }

  /** Number of entries of the store that this version of Signet does not understand, and leaves alone. */
  get skipped(): number {
    return this.replica.skipped;
  }

  /** Seconds since the store was last seen; 0 while it answers. */
  get staleSeconds(): number {
    return this.replica.staleSeconds;
  }

  /** Seconds by which the clock of this machine is at least ahead of the store's; negative: behind. */
  get clockSkew(): number {
    return this.store.clock?.skew ?? 0;
  }

  /**
   * Seconds since 1970 by the clock that all processes of the store share. On one machine that is its clock; on several
   * machines it is the clock of this one, corrected where the store proves it wrong.
   */
  get now(): number {
    return this.store.clock?.now ?? epochSeconds();
  }

  /**
   * Latest time that a token of this store can have been issued at, in seconds since 1970: {@link now}, or later if a
   * clock was set back since this process began.
   */
  get latest(): number {
    const { clock } = this.store;
    return Math.max(this.now, clock === undefined ? this.replica.reached : (clock.reached ?? 0));
  }

  /** True if a time (seconds since 1970) is certainly past, even if the clock was set wrong minutes ago. */
  isLongPast(time: number): boolean {
    return this.replica.isLongPast(time);
  }

  /**
   * The time to write into tokens, in whole seconds since 1970: never ahead of the store's clock, which decides what
   * a revocation means, nor so far behind it that a token would expire long before it should.
   */
  issueTime(): number {
    const time = epochSeconds();
    const { earliest = time } = this.store.clock ?? {};
    return Math.floor(Math.min(earliest, Math.max(time, earliest - LARGEST_SKEW)));
  }

  /**
   * True if a token is revoked. Takes microseconds, whatever the number of revocations.
   *
   * @throws StateUnavailableException when the store has not answered for so long that the copy proves nothing
   */
  isRevoked(token: TokenNames): boolean {
    this.assertFresh();
    const { index } = this.replica;
    if (index.size === 0) return false;
    const { issuer, kid } = token;
    const age = tokenAge(token);
    const names = (kind: RevocationKind, value: string | undefined): boolean =>
      value !== undefined && index.isRevoked(kind, value, comparedTime(age, kind));
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
    this.replica.assertFresh();
  }

  /**
   * Revokes all tokens that carry a claim. Once the promise resolves, the store has the revocation for good.
   *
   * @throws StateUnavailableException
   */
  async revoke(request: RevocationRequest): Promise<Revocation> {
    const { kind, value, reason } = request;
    const now = Math.floor(this.now);
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
    return this.replica.confirmed(told.id, () =>
      this.store.addRevocation(told, untilNow ? this.leeway + 1 : undefined),
    );
  }

  /** Undoes a revocation. @returns false if there is none with this id @throws StateUnavailableException */
  async undo(id: string): Promise<boolean> {
    const undone = await this.store.removeRevocation(id);
    this.replica.undone(id, undone);
    return undone !== undefined;
  }

  /**
   * Lists the revocations in force, the oldest first.
   *
   * @param page `after`: id of the last entry of the previous page
   * @throws StateUnavailableException
   */
  list(page: { after?: string; limit: number }): Promise<readonly Revocation[]> {
    return this.store.listRevocations(page);
  }

  /** Notes a token that expires at `exp` (seconds since 1970). */
  noteExpiry(exp: number): void {
    this.expiry.note(exp);
  }

  async onApplicationShutdown(): Promise<void> {
    this.replica.close();
    await this.store.close();
  }

  /**
   * Returns the time at which every token is dead that a process of this store knows of. The store tells the latest
   * expiry of tokens that other processes signed.
   */
  private async expiryOf(kind: RevocationKind, now: number): Promise<number | null> {
    if (kind === 'kid') return null;
    const latest = await this.expiry.exchange();
    return Math.max(latest, now + this.options.longestTokenTtl) + LONGEST_LEEWAY;
  }
}
