/** Accepted delay in milliseconds. A request is delayed three or four times until its answer. */
const TARGET_MS = 50;
/** Gains: how much the share changes for an error of one target, per second (integral) and at once (proportional). */
const INTEGRAL_GAIN = 1;
const PROPORTIONAL_GAIN = 0.4;
const MAX_ERROR = 3;
const MAX_SHARE = 0.98;

const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value));

/**
 * Calculates the share of requests to refuse so that admitted requests wait about {@link TARGET_MS}. It is a
 * proportional-integral controller on the queueing delay, as in PIE (RFC 8033), so that it does not oscillate, and need
 * not know the cost of a request. It uses the smaller one of the last two delays, so that it reacts to a standing
 * queue, as in CoDel (RFC 8289), and not to a burst or one slow turn of the event loop.
 */
export class ShedController {
  private integral = 0;
  private last = 0;
  private current = 0;

  /** Share of requests to refuse, from 0 to {@link MAX_SHARE}. */
  get share(): number {
    return this.current;
  }

  /**
   * @param delayMs the last delay
   * @param elapsedMs time since the last measurement
   */
  measured(delayMs: number, elapsedMs: number): void {
    const standing = Math.min(delayMs, this.last);
    this.last = delayMs;
    const error = clamp((standing - TARGET_MS) / TARGET_MS, -1, MAX_ERROR);
    this.integral = clamp(this.integral + (INTEGRAL_GAIN * error * elapsedMs) / 1000, 0, MAX_SHARE);
    this.current = clamp(this.integral + PROPORTIONAL_GAIN * error, 0, MAX_SHARE);
  }
}
