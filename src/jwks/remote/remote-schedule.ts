import type { RefreshPolicy } from '../../core/keys/index.js';

/** Part of the TTL after which the next set is fetched, so that slow or failing fetches fall into the rest. */
const EARLY = 0.75;
const EARLY_JITTER = 0.1;
const FIRST_RETRY_MS = 1000;
/** With the jitter on top: 30 s. */
const LONGEST_RETRY_MS = 25_000;
const RETRY_JITTER = 0.2;
/** Without any keys nothing is accepted, so recovery has to be found in less than 2 s. */
const URGENT_RETRY_MS = 1000;
const URGENT_JITTER = 0.5;
/** `setTimeout` takes more than 24.8 days for 1 ms. */
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

  /** Notes the end of a fetch. */
  settled(ok: boolean, now: number): void {
    this.settledAt = now;
    this.failures = ok ? 0 : this.failures + 1;
    if (ok) this.succeededAt = now;
  }

  /**
   * One cooldown for the whole source. A cooldown per kid does not stop random kids and needs a list
   * without a bound.
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
   * Milliseconds from the end of a fetch to the next.
   *
   * @param hasKeys false: nothing can be accepted until a fetch succeeds
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
