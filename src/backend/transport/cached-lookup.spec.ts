import type { LookupAddress } from 'node:dns';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

  it('asks again when its time is over, and takes the new addresses for the next', async () => {
    const { lookup, asked, settle } = resolver();
    const cached = cachedLookup(0, lookup);
    const first = ask(cached, true);
    settle(null, ADDRESSES);
    await first;
    expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
    settle(null, [{ address: '127.0.0.3', family: 4 }]);
    expect(await ask(cached, false)).toEqual([null, '127.0.0.3', 4]);
    expect(asked.length).toBe(3);
  });

  it('delays nobody who has an address while the resolver hangs, and asks it once', async () => {
    const { lookup, asked, settle } = resolver();
    const cached = cachedLookup(0, lookup);
    const first = ask(cached, true);
    settle(null, ADDRESSES);
    await first;
    for (let time = 0; time < 100; time++)
      expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
    expect(asked.length).toBe(2);
  });

  describe('after a minute in which nobody asked', () => {
    beforeEach(() => vi.useFakeTimers());
    afterEach(() => vi.useRealTimers());
    const idle = async () => {
      const { lookup, asked, settle } = resolver();
      const cached = cachedLookup(1000, lookup);
      const first = ask(cached, true);
      settle(null, ADDRESSES);
      await first;
      vi.advanceTimersByTime(60_001);
      return { cached, settle, asked };
    };

    it('waits for the new addresses', async () => {
      const { cached, settle } = await idle();
      const second = ask(cached, false);
      settle(null, [{ address: '127.0.0.3', family: 4 }]);
      expect(await second).toEqual([null, '127.0.0.3', 4]);
    });

    it('and is told once', async () => {
      const { cached, settle } = await idle();
      const found = vi.fn<() => void>();
      cached('backend', { all: true }, found);
      settle(null, ADDRESSES);
      vi.advanceTimersByTime(1000);
      expect(found).toHaveBeenCalledTimes(1);
    });

    it('but no longer than 100 ms, and the others not at all', async () => {
      const { cached, asked, settle } = await idle();
      let done = false;
      const second = ask(cached, true).finally(() => (done = true));
      expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
      expect(done).toBe(false);
      vi.advanceTimersByTime(100);
      expect(await second).toEqual([null, ADDRESSES]);
      // A caller that has an answer is not called back again.
      settle(null, [{ address: '127.0.0.3', family: 4 }]);
      expect(await ask(cached, false)).toEqual([null, '127.0.0.3', 4]);
      expect(asked.length).toBe(2);
    });
  });

  it('takes an answer that comes at once', async () => {
    const cached = cachedLookup(0, (_name, _options, found) => found(null, ADDRESSES));
    expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
    expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
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
    expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
    settle(NOT_FOUND, []);
    expect(await ask(cached, true)).toEqual([null, ADDRESSES]);
  });
});
