import { LATEST_EXPIRY } from '../../core/revocation/index.js';
import type { StateStore } from '../state-store.js';

const HOUR = 3600;

/**
 * The latest `exp` of any token that a process of this store has seen: a revocation is kept until then. Rounded up
 * to the hour, so that the store is told of few.
 */
export class LatestExpiry {
  private latest = 0;
  /** What the store knows of it. */
  private told = 0;
  /** Counts the histories of the store: an answer may be older than the news that it lost what it knew. */
  private histories = 0;

  constructor(private readonly store: StateStore) {}

  /** Tells that there is a token which expires at `exp` (seconds since 1970). */
  note(exp: number): void {
    const known = Math.min(exp, LATEST_EXPIRY);
    if (known <= this.latest) return;
    this.latest = Math.min(LATEST_EXPIRY, Math.ceil(known / HOUR) * HOUR);
    // A failure is made good by the next poll.
    this.exchange().catch(() => undefined);
  }

  /** Tells the store, and learns what others told it. @returns seconds since 1970 @throws StateUnavailableException */
  async exchange(): Promise<number> {
    const { latest, histories } = this;
    const known = await this.store.noteExpiry(latest);
    if (histories === this.histories) this.told = Math.max(this.told, latest);
    this.latest = Math.max(this.latest, known);
    return this.latest;
  }

  /** Tells the store what it was not told yet. @throws StateUnavailableException */
  async catchUp(): Promise<void> {
    if (this.told < this.latest || this.latest === 0) await this.exchange();
  }

  /** The store has a new history, and has to be told again. */
  tellAgain(): void {
    this.histories++;
    this.told = 0;
  }
}
