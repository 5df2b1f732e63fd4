/** Milliseconds of waiting that are accepted; an answer waits three or four times. */
const TARGET_MS = 50;
/** How fast the share follows: per second of an error of one target, and at once. */
const INTEGRAL_GAIN = 1;
const PROPORTIONAL_GAIN = 0.4;
const MAX_ERROR = 3;
const MAX_SHARE = 0.98;

const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value));

/**
 * The share of requests to refuse so that what is admitted waits about as long as a target: a
 * proportional-integral controller on the queueing delay, as in PIE (RFC 8033), so that it neither
 * swings nor has to know what a request costs. It sees the smaller one of the last two delays: a
 * queue that stands, as in CoDel (RFC 8289), and not a burst or one slow turn of the event loop.
 */
export class ShedController {
  private integral = 0;
  private last = 0;
  private current = 0;

  /** From 0, nothing, to nearly 1. */
  get share(): number {
    return this.current;
  }

  /**
   * @param delayMs how long something waited just now
   * @param elapsedMs since the last measurement
   */
  measured(delayMs: number, elapsedMs: number): void {
    const standing = Math.min(delayMs, this.last);
    this.last = delayMs;
    const error = clamp((standing - TARGET_MS) / TARGET_MS, -1, MAX_ERROR);
    this.integral = clamp(this.integral + (INTEGRAL_GAIN * error * elapsedMs) / 1000, 0, MAX_SHARE);
    this.current = clamp(this.integral + PROPORTIONAL_GAIN * error, 0, MAX_SHARE);
  }
}
