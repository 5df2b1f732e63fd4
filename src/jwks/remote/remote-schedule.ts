import type { RefreshPolicy } from '../../core/keys/index.js';

/** Share of the TTL after which the next set is fetched. The rest leaves time for slow or failing fetches. */
const EARLY = 0.75;
const EARLY_JITTER = 0.1;
const FIRST_RETRY_MS = 1000;
/** Longest delay of a retry, without the jitter; 30 s with it. */
const LONGEST_RETRY_MS = 25_000;
const RETRY_JITTER = 0.2;
/** Delay of a retry without any keys. No token is accepted then, so recovery has to be noticed in less than 2 s. */
const URGENT_RETRY_MS = 1000;
const URGENT_JITTER = 0.5;
/** Longest delay: one day. `setTimeout` treats more than 24.8 days as 1 ms. */
const LONGEST_DELAY_MS = 86_400_000;

/**
 * Decides when a remote set is fetched again. Times are milliseconds of a monotonic clock, so that
 * a step of the wall clock changes nothing. Jitter keeps gateways from fetching at the same time.
 */
export class RemoteSchedule {
  private failures = 0;
  private settledAt = -Infinity;
  private succeededAt = -Infinity;

  /** @param random in [0, 1) */
  constructor(
    private readonly policy: RefreshPolicy,
    private readonly random: () => number = Math.random,
  ) {}

  /** Records the end of a fetch. */
  settled(ok: boolean, now: number): void {
    this.settledAt = now;
    this.failures = ok ? 0 : this.failures + 1;
    if (ok) this.succeededAt = now;
  }

  /**
   * True once the cooldown is over. There is one for the whole source: a cooldown per kid would not stop random kids,
   * and would need an unbounded list.
   */
  mayFetch(now: number): boolean {
    return now - this.settledAt >= this.policy.cooldown * 1000;
  }

  /** True once the last good set must not be used any longer. */
  isTooStale(now: number): boolean {
    const { cacheTtl, maxStaleSeconds } = this.policy;
    return now - this.succeededAt >= (cacheTtl + maxStaleSeconds) * 1000;
  }

  /**
   * Returns the milliseconds from the end of a fetch to the next one.
   *
   * @param hasKeys false: no token can be accepted until a fetch succeeds
   */
  delay(hasKeys: boolean): number {
    const { cacheTtl, cooldown } = this.policy;
    if (this.failures === 0)
      return Math.min(LONGEST_DELAY_MS, cacheTtl * 1000 * (EARLY + EARLY_JITTER * this.random()));
    if (!hasKeys) return URGENT_RETRY_MS * (1 + URGENT_JITTER * this.random());
    const doubled = FIRST_RETRY_MS * 2 ** (this.failures - 1);
    // The last good set is still in use, so retries respect the cooldown, too.
    const base = Math.min(LONGEST_RETRY_MS, Math.max(doubled, cooldown * 1000));
    return base * (1 + RETRY_JITTER * this.random());
  }
}
