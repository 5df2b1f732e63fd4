import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AtMostEvery } from './index.js';

describe('AtMostEvery', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is due once per interval, and at once after a reset', () => {
    const limit = new AtMostEvery(1000);
    expect([limit.due(), limit.due()]).toEqual([true, false]);
    vi.advanceTimersByTime(999);
    expect(limit.due()).toBe(false);
    vi.advanceTimersByTime(1);
    expect([limit.due(), limit.due()]).toEqual([true, false]);
    limit.reset();
    expect(limit.due()).toBe(true);
  });
});
