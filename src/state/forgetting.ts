import type { StoreClock } from './store-clock.js';

/** Seconds for which everything is kept longer than it has to be: clocks differ, and are corrected. */
export const KEEP_SECONDS = 3600;
/** The wall clock was set when it went so much further than the monotonic clock, or less far. */
const JUMP_MS = 10_000;
/** For so long after that, and after the start, nothing is forgotten: time to set the clock right. */
export const HOLD_MS = 10 * 60_000;

/**
 * Decides what may be forgotten. What has expired by a clock that is wrong may be needed again as soon as the clock
 * is set right, so nothing is deleted within minutes of a jump of the wall clock against the monotonic one. To be
 * asked regularly: a jump is what happened since the last time. The clock of a store on another machine counts as
 * well: what has expired has done so by both.
 */
export class Forgetting {
  private wall = Date.now();
  private steady = performance.now();
  private jumpedAt = this.steady;

  private readonly clock: StoreClock | undefined;

  /** @param clock of the store, where that is on another machine */
  constructor(clock?: StoreClock) {
    this.clock = clock;
  }

  /** False within minutes of a jump of the clock, or of the start. */
  get allowed(): boolean {
    const [wall, steady] = [Date.now(), performance.now()];
    if (Math.abs(wall - this.wall - (steady - this.steady)) > JUMP_MS) this.jumpedAt = steady;
    this.wall = wall;
    this.steady = steady;
    return steady - this.jumpedAt >= HOLD_MS;
  }

  /** Seconds since 1970: what had expired by then may be deleted. `undefined`: nothing. */
  get horizon(): number | undefined {
    if (!this.allowed) return undefined;
    return Math.min(this.wall / 1000, this.clock?.earliest ?? Infinity) - KEEP_SECONDS;
  }
}
