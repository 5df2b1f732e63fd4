import { describe, expect, it } from 'vitest';
import { RemoteSchedule } from './remote-schedule.js';

const POLICY = { cacheTtl: 900, cooldown: 10, maxStaleSeconds: 3600 };
const LEAST = (): number => 0;
const MOST = (): number => 0.999_999;

describe('RemoteSchedule', () => {
  it.each([
    ['least', LEAST, 675_000],
    ['most', MOST, 765_000],
  ])('fetches ahead of expiry: %s', (_name, random, ms) => {
    const schedule = new RemoteSchedule(POLICY, random);
    schedule.settled(true, 0);
    expect(Math.round(schedule.delay(true))).toBe(ms);
  });

  it('never hands a timer more than it can take', () => {
    const schedule = new RemoteSchedule({ ...POLICY, cacheTtl: 31_536_000 }, MOST);
    schedule.settled(true, 0);
    expect(schedule.delay(true)).toBe(86_400_000);
  });

  it.each([
    ['1 s to 30 s', 1, [1, 2, 4, 8, 16, 25, 25], [1.2, 2.4, 4.8, 9.6, 19.2, 30, 30]],
    ['never inside of the cooldown', 10, [10, 10, 10, 10, 16, 25], [12, 12, 12, 12, 19.2, 30]],
    ['but not for an hour', 3600, [25, 25], [30, 30]],
  ])('doubles retries while there are keys: %s', (_name, cooldown, least, most) => {
    for (const [random, seconds] of [
      [LEAST, least],
      [MOST, most],
    ] as const) {
      const schedule = new RemoteSchedule({ ...POLICY, cooldown }, random);
      const delays = seconds.map((_, now) => {
        schedule.settled(false, now);
        return Math.round(schedule.delay(true) / 100) / 10;
      });
      expect(delays).toEqual(seconds);
      schedule.settled(true, 100);
      expect(schedule.delay(true)).toBeGreaterThan(600_000);
    }
  });

  it('retries in less than 2 s for as long as there are no keys', () => {
    const schedule = new RemoteSchedule(POLICY, MOST);
    for (let now = 0; now < 20; now++) schedule.settled(false, now);
    expect(schedule.delay(false)).toBeLessThan(1500);
    expect(schedule.delay(false)).toBeGreaterThanOrEqual(1000);
  });

  it('has one cooldown, after whatever fetch was last', () => {
    const schedule = new RemoteSchedule(POLICY);
    expect(schedule.mayFetch(0)).toBe(true);
    schedule.settled(true, 1000);
    expect(schedule.mayFetch(10_999)).toBe(false);
    expect(schedule.mayFetch(11_000)).toBe(true);
    schedule.settled(false, 11_000);
    expect(schedule.mayFetch(20_999)).toBe(false);
  });

  it('gives a set up once it is older than its TTL and the grace', () => {
    const schedule = new RemoteSchedule(POLICY);
    expect(schedule.isTooStale(0)).toBe(true);
    schedule.settled(true, 1000);
    schedule.settled(false, 4_000_000);
    expect(schedule.isTooStale(4_500_999)).toBe(false);
    expect(schedule.isTooStale(4_501_000)).toBe(true);
  });
});
