import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StateUnavailableException, type Hits } from '../state/index.js';
import { ThrottleCounters } from './throttle-counters.js';

const WINDOW_MS = 10_000;

describe('ThrottleCounters', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('counts the hits of a window by key', async () => {
    const counters = new ThrottleCounters();
    const hit = (key: string) => counters.hit(key, WINDOW_MS);
    expect(await hit('a')).toEqual({ hits: 1, resetMs: 10_000 });
    expect(await hit('a')).toEqual({ hits: 2, resetMs: 10_000 });
    vi.advanceTimersByTime(2500);
    expect(await hit('a')).toEqual({ hits: 3, resetMs: 7500 });
    expect(await hit('b')).toEqual({ hits: 1, resetMs: 10_000 });
    vi.advanceTimersByTime(7500);
    expect(await hit('a')).toEqual({ hits: 1, resetMs: 10_000 });
  });

  it('counts in the shared store, with the window in milliseconds', async () => {
    const hit = vi.fn<(key: string, windowMs: number) => Promise<Hits>>();
    hit.mockResolvedValue({ hits: 7, resetMs: 4001 });
    expect(await new ThrottleCounters({ hit }).hit('a', WINDOW_MS)).toEqual({
      hits: 7,
      resetMs: 4001,
    });
    expect(hit).toHaveBeenCalledExactlyOnceWith('a', WINDOW_MS);
  });

  it('counts by itself while the store does not answer, and asks it once a second', async () => {
    const hit = vi.fn<() => Promise<Hits>>();
    hit.mockRejectedValue(new StateUnavailableException('no answer'));
    const counters = new ThrottleCounters({ hit });
    const total = async () => (await counters.hit('a', WINDOW_MS)).hits;
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

  it('takes no other failure for a store that does not answer', async () => {
    const hit = () => Promise.reject(new TypeError('a mistake'));
    await expect(new ThrottleCounters({ hit }).hit('a', WINDOW_MS)).rejects.toThrow('a mistake');
  });
});
