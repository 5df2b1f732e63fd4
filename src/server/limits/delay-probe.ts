import { randomFill } from 'node:crypto';

/** Between two measurements, in milliseconds. */
const PAUSE_MS = 10;
/** The same while there is little to do, when measuring would be most of the work. */
const IDLE_PAUSE_MS = 100;
/** How often a job that is still waiting is reported: behind a long queue, it ends too late to tell of it. */
const OVERDUE_MS = 100;
const scratch = new Uint8Array(1);

/**
 * Measures again and again how late work is done in this process: a job that takes no time waits
 * for a timer, for the thread pool, where signatures are made, and for the event loop.
 * It goes on for as long as the process has something else to do.
 *
 * @param isBusy whether there is enough to do for delays to matter
 * @param measured gets the delay, and the time since the last measurement, in milliseconds
 * @returns ends it
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
      // Once for each delay: one long turn of the event loop also ends a wait that was reported in it.
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
