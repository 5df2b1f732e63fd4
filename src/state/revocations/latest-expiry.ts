import { LATEST_EXPIRY } from '../../core/revocation/index.js';
import type { StateStore } from '../state-store.js';

const HOUR = 3600;

/**
 * The latest `exp` of all tokens that the processes of this store know of. Revocations are kept until then. It is
 * rounded up to the hour, so that the store is seldom told a new one.
 */
export class LatestExpiry {
  private latest = 0;
  /** The latest expiry that the store was told. */
  private told = 0;
  /**
   * Number of histories of the store. An answer of an earlier one may arrive after the news that the store lost its
   * data.
   */
  private histories = 0;

  constructor(private readonly store: StateStore) {}

  /** Notes a token that expires at `exp` (seconds since 1970). */
  note(exp: number): void {
    const known = Math.min(exp, LATEST_EXPIRY);
    if (known <= this.latest) return;
    this.latest = Math.min(LATEST_EXPIRY, Math.ceil(known / HOUR) * HOUR);
    // If this fails, the next poll tries again.
    this.exchange().catch(() => undefined);
  }

  /**
   * Tells the store the latest expiry, and learns what other processes told it.
   *
   * @returns seconds since 1970
   * @throws StateUnavailableException
   */
  async exchange(): Promise<number> {
    const { latest, histories } = this;
    const known = await this.store.noteExpiry(latest);
    if (histories === this.histories) this.told = Math.max(this.told, latest);
    this.latest = Math.max(this.latest, known);
    return this.latest;
  }

  /** Tells the store the latest expiry if it does not know it yet. @throws StateUnavailableException */
  async catchUp(): Promise<void> {
    if (this.told < this.latest || this.latest === 0) await this.exchange();
  }

  /** Makes the next poll tell the store again, since it has a new history. */
  tellAgain(): void {
    this.histories++;
    this.told = 0;
  }
}
