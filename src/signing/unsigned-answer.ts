import type { SigningSteps } from '../core/sign/index.js';

/** A result of a handler with `@SignFields` that needs steps before and after the signing, e.g. to begin a session. */
export class UnsignedAnswer<Body extends object = Record<string, unknown>> {
  constructor(
    readonly body: Body,
    readonly steps: SigningSteps,
    /** Fields to sign in place of those of the route. Each of them is required. */
    readonly fields?: readonly string[],
  ) {}
}

/** A result that was signed before, e.g. of a repeated request. It is sent unchanged. */
export class SignedAnswer {
  constructor(readonly body: Record<string, unknown>) {}
}
