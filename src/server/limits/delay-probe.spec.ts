import { pbkdf2, pbkdf2Sync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { probeDelay } from './delay-probe.js';

it('tells of a queue before the thread pool for as long as it stands', async () => {
  // As many rounds as take a tenth of a second on this machine.
  const started = performance.now();
  pbkdf2Sync('x', 'x', 20_000, 32, 'sha512');
  const rounds = Math.ceil((20_000 * 100) / (performance.now() - started));
  let waiting = 0;
  let longest = 0;
  const queue = Array.from({ length: 16 }, () => {
    waiting++;
    return new Promise((resolve) => {
      pbkdf2('x', 'x', rounds, 32, 'sha512', (_error, key) => {
        waiting--;
        resolve(key);
      });
    });
  });
  const whileItStood: number[] = [];
  const stop = probeDelay(
    () => true,
    (delay) => {
      longest = Math.max(longest, delay);
      if (waiting > 4) whileItStood.push(delay);
    },
  );
  await Promise.all(queue);
  stop();
  expect(longest).toBeGreaterThan(200);
  // The reports grow, and there is more than one: a single one counts as a burst.
  expect(whileItStood.length).toBeGreaterThan(1);
  expect(whileItStood).toEqual(whileItStood.toSorted((a, b) => a - b));
});

it('ends, also between a job and its answer', async () => {
  const measured = vi.fn<() => void>();
  const stop = probeDelay(() => true, measured);
  await vi.waitUntil(() => measured.mock.calls.length > 1, { timeout: 20_000 });
  stop();
  const before = measured.mock.calls.length;
  // A job that is under way may still be reported.
  await sleep(100);
  expect(measured.mock.calls.length).toBeLessThanOrEqual(before + 1);
});
