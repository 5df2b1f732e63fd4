import { afterEach, describe, expect, it, vi } from 'vitest';
import { StoreClock } from './store-clock.js';

let wall: number;
let steady: number;
function begin(): StoreClock {
  wall = 1_800_000_000_000;
  steady = 10_000;
  vi.spyOn(Date, 'now').mockImplementation(() => wall);
  vi.spyOn(performance, 'now').mockImplementation(() => steady);
  return new StoreClock();
}
afterEach(() => vi.restoreAllMocks());

describe('StoreClock', () => {
  it('knows nothing before the first answer', () => {
    const clock = begin();
    expect([clock.earliest, clock.latest, clock.skew]).toEqual([undefined, undefined, 0]);
    expect(clock.now).toBe(wall / 1000);
  });

  it('knows between which times the store is, whatever is done to the clock of this machine', () => {
    const clock = begin();
    clock.note(1_800_000_050, steady - 400, steady);
    steady += 2000;
    wall += 86_400_000;
    expect([clock.earliest, clock.latest]).toEqual([1_800_000_052, 1_800_000_052.4]);
  });

  it.each([
    ['goes on', [1, 2], undefined],
    ['is set ahead', [20, 21], undefined],
    ['is set back', [-2], 1],
    ['is set back twice', [-20, -40], 1],
    ['is set back, and comes there again', [-2, 3], undefined],
    ['is set back by days', [-86_400], undefined],
    ['is set back by days, and then a little', [-86_400, -86_402], -86_400 + 1],
  ])('knows what the store had reached when its clock %s', (_what, times, expected) => {
    const clock = begin();
    const start = wall / 1000;
    clock.note(start, steady, steady);
    for (const time of times) {
      steady += 1000;
      clock.note(start + time, steady - 100, steady);
    }
    expect(clock.reached).toBe(expected === undefined ? undefined : start + expected);
  });

  it.each([
    ['the same', 0, 0],
    ['within what the answer took', 0.3, 0],
    ['ahead', 2, 1.6],
    ['behind', -2, -2],
  ])('tells how far the clocks are apart at least: %s', (_what, ahead, expected) => {
    const clock = begin();
    clock.note(wall / 1000, steady - 400, steady);
    wall += ahead * 1000;
    expect(clock.skew).toBeCloseTo(expected, 3);
    expect(clock.now).toBeCloseTo(wall / 1000 - expected, 3);
  });
});
