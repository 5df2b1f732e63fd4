import { afterEach, expect, it, vi } from 'vitest';
import { Forgetting, HOLD_MS, KEEP_SECONDS } from './forgetting.js';
import { StoreClock } from './store-clock.js';

let wall: number;
let steady: number;
const set = (change: { wall?: number; steady?: number }): void => {
  wall += change.wall ?? 0;
  steady += change.steady ?? 0;
};
function begin(): Forgetting {
  wall = 1_800_000_000_000;
  steady = 5000;
  vi.spyOn(Date, 'now').mockImplementation(() => wall);
  vi.spyOn(performance, 'now').mockImplementation(() => steady);
  return new Forgetting();
}
/** Lets time pass, and asks once a minute. */
function pass(forgetting: Forgetting, ms: number): void {
  for (let left = ms; left > 0; left -= 60_000) {
    const step = Math.min(left, 60_000);
    set({ wall: step, steady: step });
    void forgetting.allowed;
  }
}
afterEach(() => vi.restoreAllMocks());

it('forgets nothing within minutes of the start', () => {
  const forgetting = begin();
  expect(forgetting.horizon).toBeUndefined();
  pass(forgetting, HOLD_MS - 1);
  expect(forgetting.horizon).toBeUndefined();
  pass(forgetting, 1);
  expect(forgetting.horizon).toBe(wall / 1000 - KEEP_SECONDS);
});

it.each([
  ['20 days forward', 20 * 86_400_000],
  ['an hour back', -3_600_000],
  ['11 s forward', 11_000],
])('forgets nothing within minutes of a jump: %s', (_what, ms) => {
  const forgetting = begin();
  pass(forgetting, 2 * HOLD_MS);
  set({ wall: ms });
  expect(forgetting.horizon).toBeUndefined();
  pass(forgetting, HOLD_MS - 1);
  expect(forgetting.horizon).toBeUndefined();
  // Back again: that is a jump as well.
  set({ wall: -ms });
  expect(forgetting.horizon).toBeUndefined();
  pass(forgetting, HOLD_MS);
  expect(forgetting.horizon).toBe(wall / 1000 - KEEP_SECONDS);
});

it('forgets nothing that has not expired by the clock of the store', () => {
  const clock = new StoreClock();
  begin();
  clock.note(wall / 1000, steady, steady);
  // The wall clock has been wrong for so long that it seems to be right.
  set({ wall: 20 * 86_400_000 });
  const forgetting = new Forgetting(clock);
  pass(forgetting, HOLD_MS);
  expect(forgetting.horizon).toBe(wall / 1000 - 20 * 86_400 - KEEP_SECONDS);
  set({ wall: -40 * 86_400_000 });
  pass(forgetting, HOLD_MS + 60_000);
  expect(forgetting.horizon).toBe(wall / 1000 - KEEP_SECONDS);
});

it('takes a clock that is set by small steps for right', () => {
  const forgetting = begin();
  pass(forgetting, HOLD_MS);
  for (let step = 0; step < 100; step++) {
    set({ wall: 61_000, steady: 60_000 });
    expect(forgetting.allowed).toBe(true);
  }
});
