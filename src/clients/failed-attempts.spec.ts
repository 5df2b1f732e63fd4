import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ThrottleCounters } from '../throttle/index.js';
import { MemoryStore } from '../state/index.js';
import { FailedAttempts, MAX_FAILURES } from './failed-attempts.js';

/** Attempts of one node; those with the same store are counted together. */
const node = (store = new MemoryStore()): FailedAttempts =>
  new FailedAttempts(new ThrottleCounters(store));
const isAllowed = (attempts: FailedAttempts, id: string, address: string): boolean => {
  try {
    attempts.assertAllowed(id, address);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'rate_limited' });
    return false;
  }
};
const fail = async (attempts: FailedAttempts, times: number, id = 'a'): Promise<void> => {
  for (let i = 0; i < times; i++) await attempts.failed(id, '192.0.2.1');
};

describe('FailedAttempts', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('blocks one client at one address, until the window ends', async () => {
    const attempts = node();
    await fail(attempts, MAX_FAILURES - 1);
    expect(isAllowed(attempts, 'a', '192.0.2.1')).toBe(true);
    await fail(attempts, 1);
    expect(isAllowed(attempts, 'a', '192.0.2.1')).toBe(false);
    expect(isAllowed(attempts, 'b', '192.0.2.1')).toBe(true);
    expect(isAllowed(attempts, 'a', '192.0.2.2')).toBe(true);
    vi.advanceTimersByTime(59_000);
    expect(isAllowed(attempts, 'a', '192.0.2.1')).toBe(false);
    vi.advanceTimersByTime(1001);
    expect(isAllowed(attempts, 'a', '192.0.2.1')).toBe(true);
  });

  it('counts for all nodes together', async () => {
    const store = new MemoryStore();
    const [one, other] = [node(store), node(store)];
    await fail(one, MAX_FAILURES);
    expect(isAllowed(other, 'a', '192.0.2.1')).toBe(true);
    await fail(other, 1);
    expect(isAllowed(other, 'a', '192.0.2.1')).toBe(false);
  });

  it('writes neither names nor addresses into the store', async () => {
    const store = new MemoryStore();
    const hit = vi.spyOn(store, 'hit');
    await fail(node(store), 1, 'a-client');
    expect(hit.mock.calls[0]?.[0]).toMatch(/^client:[\w-]{43}$/);
  });

  it('remembers a bounded number of blocks', async () => {
    const attempts = new FailedAttempts({ hit: async () => ({ hits: 99, resetMs: 60_000 }) });
    for (let i = 0; i <= 10_000; i++) await attempts.failed(`c${i}`, '192.0.2.1');
    expect(isAllowed(attempts, 'c0', '192.0.2.1')).toBe(true);
    expect(isAllowed(attempts, 'c1', '192.0.2.1')).toBe(false);
    expect(isAllowed(attempts, 'c10000', '192.0.2.1')).toBe(false);
  });
});
