/** A worker that served for this long, in milliseconds, did not end because of its start. */
export const STABLE_MS = 5000;
const WINDOW_MS = 60_000;
const MAX_RESTARTS = 5;
const FIRST_DELAY_MS = 100;

/**
 * Decides when a worker that ended is replaced: at once if it had served for {@link STABLE_MS}, else with a back-off
 * and at most five times a minute.
 */
export class RespawnPolicy {
  private failures: number[] = [];

  /**
   * @param servedMs how long the worker had served; 0 when it never did
   * @param now milliseconds of a monotonic clock
   * @returns delay in milliseconds, or `undefined` in a crash loop
   */
  delay(servedMs: number, now: number): number | undefined {
    if (servedMs >= STABLE_MS) return 0;
    this.failures = this.failures.filter((time) => now - time < WINDOW_MS);
    if (this.failures.length >= MAX_RESTARTS) return undefined;
    this.failures.push(now);
    return FIRST_DELAY_MS * 2 ** (this.failures.length - 1);
  }
}
