import { describe, expect, it } from 'vitest';
import { RespawnPolicy, STABLE_MS } from './respawn-policy.js';

describe('RespawnPolicy', () => {
  it('replaces a worker that had served at once, however often', () => {
    const policy = new RespawnPolicy();
    for (let time = 0; time < 20; time++) expect(policy.delay(STABLE_MS, time)).toBe(0);
  });

  it('backs off, and gives up after five failures within a minute', () => {
    const policy = new RespawnPolicy();
    expect([0, 1, 2, 3, 4, 5].map((time) => policy.delay(0, time))).toEqual([
      100,
      200,
      400,
      800,
      1600,
      undefined,
    ]);
    expect(policy.delay(STABLE_MS - 1, 59_999)).toBeUndefined();
  });

  it('forgets failures after a minute', () => {
    const policy = new RespawnPolicy();
    for (let time = 0; time < 5; time++) policy.delay(0, time);
    expect(policy.delay(0, 60_003)).toBe(200);
  });
});
