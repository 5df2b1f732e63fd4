import { describe, expect, it, vi } from 'vitest';
import type { Revocations, SessionRecords } from '../state/index.js';
import { SessionList } from './session-list.service.js';

const listOf = (countSessions?: SessionRecords['countSessions']): SessionList =>
  new SessionList(
    {},
    { ...(countSessions === undefined ? {} : { countSessions }) } as unknown as SessionRecords,
    {} as Revocations,
  );

describe('how many sessions there are', () => {
  it('is asked of the store once in 30 seconds, whoever asks, and never waited for', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000);
    const count = vi.fn(async () => 7);
    const list = listOf(count);
    expect(list.count).toBeUndefined();
    await Promise.resolve();
    for (const ms of [1001, 30_999, 31_000]) {
      clock.mockReturnValue(ms);
      expect(list.count).toEqual({ count: 7, more: false });
      expect(count).toHaveBeenCalledTimes(ms < 31_000 ? 1 : 2);
    }
    expect(count).toHaveBeenCalledWith(100_001);
  });

  it.each([
    [100_000, { count: 100_000, more: false }],
    [100_001, { count: 100_000, more: true }],
  ])('is not counted further than 100,000: %d', async (found, expected) => {
    const list = listOf(async () => found);
    expect(list.count).toBeUndefined();
    await Promise.resolve();
    expect(list.count).toEqual(expected);
  });

  it('is not known where the store does not count, or is away', async () => {
    expect(listOf().count).toBeUndefined();
    const away = listOf(() => Promise.reject(new Error('away')));
    for (let n = 0; n < 3; n++) {
      expect(away.count).toBeUndefined();
      await Promise.resolve();
    }
  });
});
