import type { SigningSteps } from '../core/sign/index.js';

/**
 * What a handler with `@SignFields` returns when something has to happen around the signing, e.g. a
 * session begins: the answer, and the steps.
 */
export class UnsignedAnswer<Body extends object = Record<string, unknown>> {
  constructor(
    readonly body: Body,
    readonly steps: SigningSteps,
    /** What is signed in place of the fields of the route; all of it has to be there. */
    readonly fields?: readonly string[],
  ) {}
}

/** What a handler returns when the answer was signed before, e.g. for a repeated request: it leaves as it is. */
export class SignedAnswer {
  constructor(readonly body: Record<string, unknown>) {}
}
