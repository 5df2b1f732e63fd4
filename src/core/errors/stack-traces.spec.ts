import { describe, expect, it } from 'vitest';
import { suspendStackTraces, TokenRefusedError } from './index.js';

describe('suspendStackTraces', () => {
  it('keeps errors from capturing a stack until it is undone', () => {
    const before = Error.stackTraceLimit;
    const restore = suspendStackTraces();
    const without = new Error('x');
    restore();
    expect(Error.stackTraceLimit).toBe(before);
    expect(without.stack).toBe('Error: x');
    expect(new Error('x').stack).toMatch(/\n\s+at /);
  });

  it('is used by refusals, which tell why instead', () => {
    const refusal = new TokenRefusedError('claim_missing', "claim 'exp' is missing", {
      claim: 'exp',
    });
    expect(refusal.stack).not.toMatch(/\n\s+at /);
    expect(refusal).toMatchObject({
      name: 'TokenRefusedError',
      code: 'claim_missing',
      explanation: "claim 'exp' is missing",
      data: { claim: 'exp' },
    });
  });
});
