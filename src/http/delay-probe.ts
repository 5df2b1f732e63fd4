import { randomFill } from 'node:crypto';

/** Between two measurements. */
const PAUSE_MS = 10;
const scratch = new Uint8Array(1);

/**
 * Measures again and again how late work is done in this process: a job that takes no time waits
 * for a timer, for the thread pool, where signatures are made, and for the event loop.
 * It goes on for as long as the process has something else to do.
 *
 * @param measured gets the delay, and the time since the last measurement, in milliseconds
 */
export function probeDelay(measured: (delayMs: number, elapsedMs: number) => void): void {
  let last = performance.now();
  const ask = (): void => {
    randomFill(scratch, () => {
      const now = performance.now();
      const elapsed = now - last;
      last = now;
      measured(Math.max(0, elapsed - PAUSE_MS), elapsed);
      setTimeout(ask, PAUSE_MS).unref();
    });
  };
  setTimeout(ask, PAUSE_MS).unref();
}
