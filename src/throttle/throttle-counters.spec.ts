import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StateUnavailableException, type Hits } from '../state/index.js';
import { ThrottleCounters } from './throttle-counters.js';

const WINDOW_MS = 10_000;

describe('ThrottleCounters', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('counts the requests of a window by key, and blocks those beyond the limit', async () => {
    const counters = new ThrottleCounters();
    const hit = (key: string) => counters.increment(key, WINDOW_MS, 2);
    const open = { timeToExpire: 10, isBlocked: false, timeToBlockExpire: 0 };
    expect(await hit('a')).toEqual({ totalHits: 1, ...open });
    expect(await hit('a')).toEqual({ totalHits: 2, ...open });
    vi.advanceTimersByTime(2500);
    expect(await hit('a')).toEqual({
      totalHits: 3,
      timeToExpire: 8,
      isBlocked: true,
      timeToBlockExpire: 8,
    });
    expect(await hit('b')).toEqual({ totalHits: 1, ...open });
    vi.advanceTimersByTime(7500);
    expect(await hit('a')).toEqual({ totalHits: 1, ...open });
  });

  it('counts in the shared store, with the window in milliseconds', async () => {
    const hit = vi.fn<(key: string, windowMs: number) => Promise<Hits>>();
    hit.mockResolvedValue({ hits: 7, resetMs: 4001 });
    expect(await new ThrottleCounters({ hit }).increment('a', WINDOW_MS, 6)).toEqual({
      totalHits: 7,
      timeToExpire: 5,
      isBlocked: true,
      timeToBlockExpire: 5,
    });
    expect(hit).toHaveBeenCalledExactlyOnceWith('a', WINDOW_MS);
  });

  it('counts by itself while the store does not answer, and asks it once a second', async () => {
    const hit = vi.fn<() => Promise<Hits>>();
    hit.mockRejectedValue(new StateUnavailableException('no answer'));
    const counters = new ThrottleCounters({ hit });
    const total = async () => (await counters.increment('a', WINDOW_MS, 5)).totalHits;
    expect([await total(), await total(), await total()]).toEqual([1, 2, 3]);
    expect(hit).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(999);
    expect(await total()).toBe(4);
    expect(hit).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    hit.mockResolvedValue({ hits: 40, resetMs: 1000 });
    expect([await total(), await total()]).toEqual([40, 40]);
    expect(hit).toHaveBeenCalledTimes(3);
  });

  it('keeps the limit while the store does not answer', async () => {
    const hit = () => Promise.reject(new StateUnavailableException('no answer'));
    const counters = new ThrottleCounters({ hit });
    const blocked = async () => (await counters.increment('a', WINDOW_MS, 1)).isBlocked;
    expect([await blocked(), await blocked()]).toEqual([false, true]);
  });

  it('takes no other failure for a store that does not answer', async () => {
    const hit = () => Promise.reject(new TypeError('a mistake'));
    await expect(new ThrottleCounters({ hit }).increment('a', WINDOW_MS, 1)).rejects.toThrow(
      'a mistake',
    );
  });
});
