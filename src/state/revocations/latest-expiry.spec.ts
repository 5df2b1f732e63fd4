import { expect, it } from 'vitest';
import { MemoryStore } from '../memory/memory.store.js';
import { LatestExpiry } from './latest-expiry.js';

it('tells the store again what it was told just before it lost that', async () => {
  const store = new MemoryStore();
  const answer = Promise.withResolvers<void>();
  const told: number[] = [];
  store.noteExpiry = async (exp) => {
    told.push(exp);
    if (told.length === 1) await answer.promise;
    return exp;
  };
  const expiry = new LatestExpiry(store);
  expiry.note(7200);
  // The poll hears of the new history before the answer of the old one is here.
  expiry.tellAgain();
  answer.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  await expiry.catchUp();
  expect(told).toEqual([7200, 7200]);
  await expiry.catchUp();
  expect(told).toHaveLength(2);
});
