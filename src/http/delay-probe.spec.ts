import { pbkdf2 } from 'node:crypto';
import { expect, it } from 'vitest';
import { probeDelay } from './delay-probe.js';

it('tells of a queue before the thread pool for as long as it stands', async () => {
  let waiting = 0;
  let longest = 0;
  const queue = Array.from({ length: 16 }, () => {
    waiting++;
    return new Promise((resolve) => {
      pbkdf2('x', 'x', 60_000, 32, 'sha512', (_error, key) => {
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
