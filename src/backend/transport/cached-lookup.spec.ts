import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { cachedLookup, type AddressLookup } from './cached-lookup.js';

const ADDRESSES: LookupAddress[] = [
  { address: '127.0.0.2', family: 4 },
  { address: '::1', family: 6 },
];
type Result = [NodeJS.ErrnoException | null, string | LookupAddress[], number?];

/** A resolver that answers when it is told to. */
function resolver() {
  const open: Parameters<AddressLookup>[2][] = [];
  const asked: string[] = [];
  const lookup: AddressLookup = (hostname, _options, found) => {
    asked.push(hostname);
    open.push(found);
  };
  const settle = (...result: Parameters<Parameters<AddressLookup>[2]>): void => {
    for (const found of open.splice(0)) found(...result);
  };
  return { lookup, asked, settle };
}
const ask = (lookup: ReturnType<typeof cachedLookup>, all: boolean): Promise<Result> =>
  new Promise((resolve) => lookup('backend', { all }, (...result) => resolve(result)));
const NOT_FOUND = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });

describe('cachedLookup', () => {
  it('asks once for all who wait, in both forms of the answer', async () => {
    const { lookup, asked, settle } = resolver();
    const cached = cachedLookup(60_000, lookup);
    const answers = Promise.all([ask(cached, true), ask(cached, false), ask(cached, true)]);
    settle(null, ADDRESSES);
    expect(await answers).toEqual([
      [null, ADDRESSES],
      [null, '127.0.0.2', 4],
      [null, ADDRESSES],
    ]);
    expect(await ask(cached, false)).toEqual([null, '127.0.0.2', 4]);
    expect(asked).toEqual(['backend']);
  });

  it('asks again when its time is over, and takes the new addresses', async () => {
    const { lookup, asked, settle } = resolver();
    const cached = cachedLookup(0, lookup);
    const first = ask(cached, true);
    settle(null, ADDRESSES);
    await first;
    const second = ask(cached, false);
    settle(null, [{ address: '127.0.0.3', family: 4 }]);
    expect(await second).toEqual([null, '127.0.0.3', 4]);
    expect(asked.length).toBe(2);
  });

  it('keeps the last addresses while the resolver fails', async () => {
    const { lookup, settle } = resolver();
    const cached = cachedLookup(0, lookup);
    const first = ask(cached, true);
    settle(NOT_FOUND, []);
    expect((await first)[0]).toBe(NOT_FOUND);
    const second = ask(cached, true);
    settle(null, ADDRESSES);
    await second;
    const third = ask(cached, true);
    settle(NOT_FOUND, []);
    expect(await third).toEqual([null, ADDRESSES]);
  });
});
