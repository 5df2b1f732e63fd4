/**
 * Limits an action to once per interval, e.g. the log line about a lasting failure. Uses the monotonic clock.
 */
export class AtMostEvery {
  private readonly intervalMs: number;
  private last = -Infinity;

  /** @param intervalMs shortest time between two actions, in milliseconds */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** Returns true when the interval has passed since it last did; the caller then acts. */
  due(): boolean {
    const time = performance.now();
    if (time - this.last < this.intervalMs) return false;
    this.last = time;
    return true;
  }

  /** Makes the next {@link due} return true, e.g. because there is something else to report. */
  reset(): void {
    this.last = -Infinity;
  }
}
