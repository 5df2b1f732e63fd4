import type { StoreClock } from './store-clock.js';

/** Seconds for which expired data is kept longer than necessary, since clocks differ and are corrected. */
export const KEEP_SECONDS = 3600;
/** Milliseconds by which the wall clock may gain or lose against the monotonic clock; more is a jump. */
const JUMP_MS = 10_000;
/** Milliseconds after a jump, and after the start, in which nothing is deleted, so that the clock can be corrected. */
export const HOLD_MS = 10 * 60_000;

/**
 * Decides which expired data may be deleted. Data that has expired by a wrong clock may be needed again as soon as the
 * clock is corrected, so nothing is deleted for 10 minutes after a jump of the wall clock against the monotonic clock.
 * It has to be asked regularly, since it detects a jump by comparing the clocks with those at the last call. If the
 * store is on another machine, the data must have expired by the clock of the store as well.
 */
export class Forgetting {
  private wall = Date.now();
  private steady = performance.now();
  private jumpedAt = this.steady;

  private readonly clock: StoreClock | undefined;

  /** @param clock the clock of the store, if it is on another machine */
  constructor(clock?: StoreClock) {
    this.clock = clock;
  }

  /** False for 10 minutes after a jump of the clock, and after the start. */
  get allowed(): boolean {
    const [wall, steady] = [Date.now(), performance.now()];
    if (Math.abs(wall - this.wall - (steady - this.steady)) > JUMP_MS) this.jumpedAt = steady;
    this.wall = wall;
    this.steady = steady;
    return steady - this.jumpedAt >= HOLD_MS;
  }

  /** Data that expired by this time (seconds since 1970) may be deleted. `undefined`: no data. */
  get horizon(): number | undefined {
    if (!this.allowed) return undefined;
    return Math.min(this.wall / 1000, this.clock?.earliest ?? Infinity) - KEEP_SECONDS;
  }
}
