import { epochSeconds } from '../core/time/index.js';

/** Seconds by which an answer may be behind what was expected: clocks do not run alike. */
const TOLERANCE = 0.05;
/** Seconds; a clock that was wrong by more is not waited for: nobody could log in until it comes there again. */
export const LONGEST_WAIT = 3600;

/**
 * The clock of a store on another machine. Each answer of the store that says what time it is there bounds the
 * difference: it was made between the question and its arrival. In between the monotonic clock goes on, so a jump of
 * the wall clock of this machine changes nothing.
 */
export class StoreClock {
  private time: number | undefined;
  private asked = 0;
  private answered = 0;
  private reachedBefore = 0;

  /**
   * @param time seconds since 1970 that the store said
   * @param asked,answered when it was asked, and when the answer was here, by `performance.now()`
   */
  note(time: number, asked: number, answered: number): void {
    const known = this.time === undefined ? 0 : this.time + (answered - this.answered) / 1000;
    if (time + (answered - asked) / 1000 < known - TOLERANCE)
      this.reachedBefore = Math.max(known, this.isWaitedFor(time) ? this.reachedBefore : 0);
    this.time = time;
    this.asked = asked;
    this.answered = answered;
  }

  /** Seconds since 1970 which the store has reached for certain; `undefined` before its first answer. */
  get earliest(): number | undefined {
    return this.time === undefined
      ? undefined
      : this.time + (performance.now() - this.answered) / 1000;
  }

  /** Seconds since 1970 which the store has not passed; `undefined` before its first answer. */
  get latest(): number | undefined {
    return this.time === undefined
      ? undefined
      : this.time + (performance.now() - this.asked) / 1000;
  }

  /**
   * Seconds since 1970 which the store had reached before its clock was set back, or another server took over whose
   * clock is behind; `undefined` where it is there again, or never will be for hours.
   */
  get reached(): number | undefined {
    const { earliest = 0, reachedBefore } = this;
    return reachedBefore > earliest && this.isWaitedFor(earliest) ? reachedBefore : undefined;
  }

  /** Seconds by which the clock of this machine is ahead, at least; negative: behind. 0: maybe not at all. */
  get skew(): number {
    const time = epochSeconds();
    return time - this.corrected(time);
  }

  /** Seconds since 1970 by the clock of this machine; where the store shows that it is wrong, by the store's. */
  get now(): number {
    return this.corrected(epochSeconds());
  }

  private isWaitedFor(time: number): boolean {
    return this.reachedBefore - time <= LONGEST_WAIT;
  }

  private corrected(time: number): number {
    const { earliest = time, latest = time } = this;
    return Math.max(earliest, Math.min(time, latest));
  }
}
