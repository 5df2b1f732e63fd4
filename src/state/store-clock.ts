import { epochSeconds } from '../core/time/index.js';

/**
 * Seconds by which the store's clock may be behind the expected time without having been set back: clocks differ in
 * speed.
 */
const TOLERANCE = 0.05;
/** Seconds; a clock that was set back by more is not waited for, since users could not log in for too long. */
export const LONGEST_WAIT = 3600;

/**
 * Bounds for the clock of a store on another machine. The store reads its clock between the request and the arrival of
 * the answer, so each answer that contains the store's time bounds it. After that the monotonic clock of this machine
 * counts, so a jump of its wall clock changes nothing.
 */
export class StoreClock {
  private time: number | undefined;
  private asked = 0;
  private answered = 0;
  private reachedBefore = 0;

  /**
   * @param time the time that the store told, in seconds since 1970
   * @param asked,answered times of the request and of the answer, by `performance.now()`
   */
  note(time: number, asked: number, answered: number): void {
    const known = this.time === undefined ? 0 : this.time + (answered - this.answered) / 1000;
    if (time + (answered - asked) / 1000 < known - TOLERANCE)
      this.reachedBefore = Math.max(known, this.isWaitedFor(time) ? this.reachedBefore : 0);
    this.time = time;
    this.asked = asked;
    this.answered = answered;
  }

  /** Time that the store has certainly reached, in seconds since 1970; `undefined` before its first answer. */
  get earliest(): number | undefined {
    return this.time === undefined
      ? undefined
      : this.time + (performance.now() - this.answered) / 1000;
  }

  /** Time that the store has certainly not passed, in seconds since 1970; `undefined` before its first answer. */
  get latest(): number | undefined {
    return this.time === undefined
      ? undefined
      : this.time + (performance.now() - this.asked) / 1000;
  }

  /**
   * Time that the store had reached before its clock was set back, or before a server with a slower clock took over, in
   * seconds since 1970. `undefined` once the store has reached it again, and where that would take more than
   * {@link LONGEST_WAIT} seconds.
   */
  get reached(): number | undefined {
    const { earliest = 0, reachedBefore } = this;
    return reachedBefore > earliest && this.isWaitedFor(earliest) ? reachedBefore : undefined;
  }

  /**
   * Seconds by which the clock of this machine is at least ahead of the store's; negative: behind; 0: possibly equal.
   */
  get skew(): number {
    const time = epochSeconds();
    return time - this.corrected(time);
  }

  /** Seconds since 1970 by the clock of this machine, corrected where the store proves it wrong. */
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
