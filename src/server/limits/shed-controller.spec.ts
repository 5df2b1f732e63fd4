import { describe, expect, it } from 'vitest';
import { ShedController } from './shed-controller.js';

/** What a refusal costs, as a part of what serving costs. */
const REFUSAL_COST = 0.1;

/**
 * An event loop under an offered load: each turn does the work that arrived during the one before.
 *
 * @param load how many times the capacity is offered, by time
 */
function run(load: (ms: number) => number, ms: number) {
  const controller = new ShedController();
  const turns: { time: number; delay: number; share: number; goodput: number }[] = [];
  let turn = 10;
  for (let time = 0; time < ms;) {
    const arrived = load(time) * turn;
    const served = arrived * (1 - controller.share);
    const elapsed = Math.max(10, turn);
    const work = served + (arrived - served) * REFUSAL_COST;
    time += elapsed;
    controller.measured(work, elapsed);
    turns.push({
      time,
      delay: work,
      share: controller.share,
      goodput: served / Math.max(turn, work),
    });
    turn = Math.max(1, work);
  }
  return turns;
}

describe('ShedController', () => {
  it('refuses nothing below the capacity', () => {
    expect(run(() => 0.95, 10_000).every(({ share }) => share === 0)).toBe(true);
  });

  it.each([1.2, 2, 3])('holds the delay near the target at %d times the capacity', (load) => {
    const settled = run(() => load, 20_000).filter(({ time }) => time > 5000);
    const delays = settled.map(({ delay }) => delay);
    const shares = settled.map(({ share }) => share);
    expect(Math.max(...delays)).toBeLessThan(100);
    expect(Math.min(...delays)).toBeGreaterThan(25);
    // The share does not oscillate.
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(0.1);
    // The load that is admitted equals the capacity.
    const due = (load - 1) / (load * (1 - REFUSAL_COST));
    expect(Math.abs((shares.at(-1) ?? 0) - due)).toBeLessThan(0.03);
  });

  it('bounds the delay while it learns', () => {
    expect(Math.max(...run(() => 3, 20_000).map(({ delay }) => delay))).toBeLessThan(1000);
  });

  it('takes one slow turn and a burst for what they are', () => {
    const controller = new ShedController();
    for (const delay of [1, 500, 40, 1, 1, 2000, 1]) controller.measured(delay, 10 + delay);
    expect(controller.share).toBe(0);
    const burst = run((ms) => (ms > 1000 && ms < 1030 ? 3 : 0.3), 3000);
    expect(burst.every(({ share }) => share === 0)).toBe(true);
  });

  it('lets everything in again within a second after the load has gone', () => {
    const turns = run((ms) => (ms < 10_000 ? 3 : 0.5), 12_000);
    expect(turns.filter(({ time }) => time > 11_000).every(({ share }) => share === 0)).toBe(true);
  });
});
