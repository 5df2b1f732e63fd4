/**
 * Lets something happen at most once per interval, e.g. a line of the log about a failure that lasts.
 * It goes by the monotonic clock.
 */
export class AtMostEvery {
  private readonly intervalMs: number;
  private last = -Infinity;

  /** @param intervalMs milliseconds */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** True when the interval has passed since the last true; the caller then acts. */
  due(): boolean {
    const time = performance.now();
    if (time - this.last < this.intervalMs) return false;
    this.last = time;
    return true;
  }

  /** The next {@link due} is true, e.g. because there is something else to tell. */
  reset(): void {
    this.last = -Infinity;
  }
}
