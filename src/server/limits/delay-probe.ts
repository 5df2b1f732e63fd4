import { randomFill } from 'node:crypto';

/** Pause between two measurements, in milliseconds. */
const PAUSE_MS = 10;
/** Pause under low load, in milliseconds, when measuring would be most of the work. */
const IDLE_PAUSE_MS = 100;
/**
 * Interval of reports about a job that is still waiting, in milliseconds: behind a long queue its end comes too late.
 */
const OVERDUE_MS = 100;
const scratch = new Uint8Array(1);

/**
 * Measures repeatedly how long work is delayed in this process: an empty job waits for a timer, for the thread pool,
 * where signatures are made, and for the event loop. It does not keep the process alive.
 *
 * @param isBusy returns true while there is enough load for delays to matter
 * @param measured receives the delay, and the time since the last measurement, in milliseconds
 * @returns a function that ends the measurements
 */
export function probeDelay(
  isBusy: () => boolean,
  measured: (delayMs: number, elapsedMs: number) => void,
): () => void {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let last = performance.now();
  let due = last;
  const report = (): void => {
    const now = performance.now();
    const elapsed = now - last;
    last = now;
    measured(Math.max(0, now - due), elapsed);
  };
  const plan = (): void => {
    if (ended) return;
    const pause = isBusy() ? PAUSE_MS : IDLE_PAUSE_MS;
    due = performance.now() + pause;
    timer = setTimeout(ask, pause).unref();
  };
  const ask = (): void => {
    const asked = last;
    const overdue = setInterval(report, OVERDUE_MS).unref();
    randomFill(scratch, () => {
      clearInterval(overdue);
      // Each delay is reported once: in a long turn of the event loop, this one may already have been reported as
      // overdue.
      if (last === asked) report();
      plan();
    });
  };
  plan();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
