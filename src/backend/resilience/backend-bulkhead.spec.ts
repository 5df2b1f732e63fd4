import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackendBulkhead } from './backend-bulkhead.js';
import {
  BackendBadResponseException,
  BackendFailedException,
  BackendRefusedException,
  BackendTimeoutException,
  BackendUnavailableException,
} from '../backend.exceptions.js';

const never = (): Promise<never> => new Promise(() => undefined);
const fails = (thrown: Error) => async (): Promise<never> => {
  throw thrown;
};
const FAILURES = { failures: 5, probeEveryMs: 60_000 };

// The bulkhead logs each change of the circuit.
beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(true));

describe('BackendBulkhead', () => {
  it('tells how every call ended', async () => {
    const guard = new BackendBulkhead({ maxCalls: 10 });
    const seen: string[] = [];
    guard.onCall((outcome, seconds) => seen.push(`${outcome} ${seconds >= 0}`));
    await guard.run(async () => undefined);
    for (const error of [
      new BackendRefusedException(401, undefined, {}),
      new BackendFailedException('503'),
      new BackendBadResponseException('HTML'),
      new BackendUnavailableException('refused'),
      new BackendTimeoutException('late'),
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

  it.each([
    new BackendFailedException('500'),
    new BackendUnavailableException('x'),
    new BackendTimeoutException('x'),
  ])('no call is made after too many failures: %s', async (error) => {
    const guard = new BackendBulkhead({ maxCalls: 10, breaker: FAILURES });
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
  });

  it.each([
    new BackendRefusedException(400, '{}', {}),
    new BackendBadResponseException('x'),
    new Error('ours'),
  ])('calls go on after: %s', async (error) => {
    const guard = new BackendBulkhead({ maxCalls: 10, breaker: FAILURES });
    for (let i = 0; i < 20; i++) await expect(guard.run(fails(error))).rejects.toBe(error);
    expect([guard.state, guard.rejected]).toEqual(['closed', 0]);
  });

  it('makes no more calls at the same time than it may', async () => {
    const guard = new BackendBulkhead({ maxCalls: 2, breaker: false });
    void guard.run(never);
    void guard.run(never);
    await expect(guard.run(never)).rejects.toBeInstanceOf(BackendUnavailableException);
    expect([guard.inFlight, guard.rejected, guard.state]).toEqual([2, 1, 'closed']);
  });
});
