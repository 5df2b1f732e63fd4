import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { within } from './deadline.js';

/** Holds up the whole process. */
function hold(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it('gives what comes in time, and says when nothing does', async () => {
  vi.useFakeTimers();
  try {
    await expect(within(200, Promise.resolve(1))).resolves.toBe(1);
    await expect(within(200, Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
    let outcome = 'none';
    const late = within(200, new Promise(() => undefined)).catch((error: unknown) => {
      outcome = String(error);
    });
    await vi.advanceTimersByTimeAsync(199);
    expect(outcome).toBe('none');
    await vi.advanceTimersByTimeAsync(1);
    await late;
    expect(outcome).toBe('Error: no answer within 200 ms');
  } finally {
    vi.useRealTimers();
  }
});

it('does not count the time in which the process is held up', async () => {
  // Four answers, one after the other, as at the begin of a connection; the process is busy while they arrive.
  const answers = (async () => {
    for (let i = 0; i < 4; i++) {
      await sleep(1);
      hold(150);
    }
    return 'all';
  })();
  await expect(within(400, answers)).resolves.toBe('all');
});
