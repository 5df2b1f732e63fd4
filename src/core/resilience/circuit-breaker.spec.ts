import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.js';

const OPTIONS = { failures: 3, withinMs: 1000, probeEveryMs: 100 };
const fail = (breaker: CircuitBreaker, ...times: number[]): void => {
  for (const now of times) breaker.failed(breaker.admit(now) ?? -1, now);
};
const opened = (): CircuitBreaker => {
  const breaker = new CircuitBreaker(OPTIONS);
  fail(breaker, 1, 2, 3);
  return breaker;
};

describe('CircuitBreaker', () => {
  it('opens at so many failures in a row', () => {
    const breaker = new CircuitBreaker(OPTIONS);
    fail(breaker, 1, 2);
    expect(breaker.state).toBe('closed');
    fail(breaker, 3);
    expect([breaker.state, breaker.admit(4)]).toEqual(['open', undefined]);
  });

  it('stays closed while some calls succeed', () => {
    const breaker = new CircuitBreaker(OPTIONS);
    for (let now = 0; now < 100; now++) {
      fail(breaker, now, now);
      breaker.succeeded(breaker.admit(now) ?? -1);
    }
    expect(breaker.state).toBe('closed');
  });

  it('stays closed at a few failures of little traffic', () => {
    const breaker = new CircuitBreaker(OPTIONS);
    for (let now = 0; now < 100_000; now += 501) fail(breaker, now);
    expect(breaker.state).toBe('closed');
  });

  it('lets one call through per interval, and closes when it succeeds', () => {
    const breaker = opened();
    expect(breaker.admit(102)).toBeUndefined();
    const probe = breaker.admit(103) ?? -1;
    expect([breaker.state, breaker.admit(104)]).toEqual(['half-open', undefined]);
    breaker.succeeded(probe);
    expect([breaker.state, breaker.admit(105)]).toEqual(['closed', expect.any(Number)]);
    fail(breaker, 106, 107);
    expect(breaker.state).toBe('closed');
  });

  it('stays open when the probe fails', () => {
    const breaker = opened();
    fail(breaker, 103);
    expect([breaker.state, breaker.admit(202)]).toEqual(['open', undefined]);
    expect(breaker.admit(203)).toBeDefined();
  });

  it('does not wait for a probe that hangs, and counts it all the same', () => {
    const breaker = opened();
    const slow = breaker.admit(103) ?? -1;
    expect(breaker.admit(203)).toBeDefined();
    breaker.succeeded(slow);
    expect(breaker.state).toBe('closed');
  });

  it('takes nothing from calls that began before it opened or closed', () => {
    const breaker = new CircuitBreaker(OPTIONS);
    const early = breaker.admit(0) ?? -1;
    fail(breaker, 1, 2, 3);
    breaker.succeeded(early);
    expect(breaker.state).toBe('open');
    const [first, second] = [breaker.admit(103) ?? -1, breaker.admit(203) ?? -1];
    breaker.succeeded(second);
    for (let i = 0; i < 5; i++) breaker.failed(first, 204);
    expect(breaker.state).toBe('closed');
  });
});
