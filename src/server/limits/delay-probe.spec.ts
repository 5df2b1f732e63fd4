import { pbkdf2, pbkdf2Sync } from 'node:crypto';
import { expect, it } from 'vitest';
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
  probeDelay(
    () => true,
    (delay) => {
      longest = Math.max(longest, delay);
      if (waiting > 4) whileItStood.push(delay);
    },
  );
  await Promise.all(queue);
  expect(longest).toBeGreaterThan(200);
  // Growing, and more than one: what is seen once counts for a burst.
  expect(whileItStood.length).toBeGreaterThan(1);
  expect(whileItStood).toEqual(whileItStood.toSorted((a, b) => a - b));
});
