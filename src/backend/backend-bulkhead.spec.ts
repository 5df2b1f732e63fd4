import { describe, expect, it } from 'vitest';
import { BackendGuard } from './backend-bulkhead.js';
import {
  BackendBadResponse,
  BackendFailed,
  BackendRefused,
  BackendTimeout,
  BackendUnavailable,
} from './backend.exceptions.js';

const never = (): Promise<never> => new Promise(() => undefined);
const fails = (thrown: Error) => async (): Promise<never> => {
  throw thrown;
};
const FAILURES = { failures: 5, probeEveryMs: 60_000 };

describe('BackendGuard', () => {
  it('tells how every call ended', async () => {
    const guard = new BackendGuard({ maxCalls: 10 });
    const seen: string[] = [];
    guard.onCall((outcome, seconds) => seen.push(`${outcome} ${seconds >= 0}`));
    await guard.run(async () => undefined);
    for (const error of [
      new BackendRefused(401, undefined, {}),
      new BackendFailed('503'),
      new BackendBadResponse('HTML'),
      new BackendUnavailable('refused'),
      new BackendTimeout('late'),
      new TypeError('an interceptor'),
    ])
      await expect(guard.run(fails(error))).rejects.toBe(error);
    expect(seen).toEqual(
      ['answered', 'refused', 'failed', 'bad_response', 'unavailable', 'timeout', 'other'].map(
        (outcome) => `${outcome} true`,
      ),
    );
    expect([guard.inFlight, guard.rejected]).toEqual([0, 0]);
  });

  it.each([new BackendFailed('500'), new BackendUnavailable('x'), new BackendTimeout('x')])(
    'no call is made after too many failures: %s',
    async (error) => {
      const guard = new BackendGuard({ maxCalls: 10, breaker: FAILURES });
      for (let i = 0; i < 5; i++) await expect(guard.run(fails(error))).rejects.toBe(error);
      let called = false;
      const call = guard.run(async () => (called = true));
      await expect(call).rejects.toMatchObject({
        details: { status: 502, code: 'backend_unavailable' },
      });
      await expect(call).rejects.toMatchObject({
        details: {
          explanation: expect.stringContaining(error.details.explanation ?? '') as string,
        },
      });
      expect([called, guard.state, guard.rejected]).toEqual([false, 'open', 1]);
    },
  );

  it.each([new BackendRefused(400, '{}', {}), new BackendBadResponse('x'), new Error('ours')])(
    'calls go on after: %s',
    async (error) => {
      const guard = new BackendGuard({ maxCalls: 10, breaker: FAILURES });
      for (let i = 0; i < 20; i++) await expect(guard.run(fails(error))).rejects.toBe(error);
      expect([guard.state, guard.rejected]).toEqual(['closed', 0]);
    },
  );

  it('makes no more calls at the same time than it may', async () => {
    const guard = new BackendGuard({ maxCalls: 2, breaker: false });
    void guard.run(never);
    void guard.run(never);
    await expect(guard.run(never)).rejects.toBeInstanceOf(BackendUnavailable);
    expect([guard.inFlight, guard.rejected, guard.state]).toEqual([2, 1, 'closed']);
  });
});
