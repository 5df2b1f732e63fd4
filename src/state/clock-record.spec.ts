import { describe, expect, it, vi } from 'vitest';
import { followClock, latestTime, type ClockRecord } from './clock-record.js';

const TIME = 1_800_000_000;
let steady = 0;

/** Sets the wall clock, and the seconds since the start of the machine. */
function clocks(wall: number, seconds: number): void {
  vi.spyOn(Date, 'now').mockReturnValue(wall * 1000);
  steady = seconds;
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => BigInt(steady * 1000) * 1_000_000n);
}

/** Returns the record after the wall clock has shown these times, one second apart. */
function after(...walls: number[]): ClockRecord {
  let known: ClockRecord | undefined;
  for (const [index, wall] of walls.entries()) {
    clocks(wall, 100 + index);
    known = followClock(known);
  }
  return known as ClockRecord;
}

describe('followClock', () => {
  it('has nothing new while the clocks go alike', () => {
    const known = after(TIME);
    clocks(TIME + 3600.04, 3700);
    expect(followClock(known)).toBe(known);
  });

  it.each([
    ['never set', [TIME, TIME + 1], TIME + 1],
    ['set ahead', [TIME, TIME + 30], TIME + 30],
    // Without the change it would have shown one second more.
    ['set back', [TIME, TIME - 2], TIME + 1],
    ['set back by an hour', [TIME, TIME - 3590], TIME + 1],
    ['set back twice', [TIME, TIME - 20, TIME - 40], TIME + 1],
    ['ahead and right again', [TIME, TIME + 30, TIME + 2], TIME + 31],
    ['back and right again', [TIME, TIME - 30, TIME + 2], TIME + 2],
    ['set back by days: not waited for', [TIME, TIME - 86_400], TIME - 86_400],
    [
      'set back by days, and then a little',
      [TIME, TIME - 86_400, TIME - 86_402],
      TIME - 86_400 + 1,
    ],
  ])('knows the latest time that was shown: %s', (_what, walls, latest) => {
    const seen = latestTime(after(...walls));
    expect(seen).toBeGreaterThanOrEqual(latest);
    expect(seen).toBeLessThan(latest + 0.2);
  });

  it('waits until the clock is there again, and no longer', () => {
    const known = after(TIME, TIME - 30);
    clocks(TIME + 100, 231);
    expect(followClock(known)).toBe(known);
    expect(latestTime(known)).toBeLessThan(TIME + 100.1);
  });

  it('compares nothing with the monotonic clock of another machine, or of before its restart', () => {
    const known = { ...after(TIME), boot: 'another' };
    clocks(TIME + 10, 5000);
    expect(latestTime(followClock(known))).toBeLessThan(TIME + 10.1);
  });
});
