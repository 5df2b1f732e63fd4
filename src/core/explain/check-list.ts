import { isCodedError, TokenRefusedError } from '../errors/index.js';
import { adviceFor, type AdviceContext } from './advice.js';
import type { ExplainedCheck } from './explanation.js';

/** A check for {@link CheckList.attempt}. */
interface Attempt {
  readonly check: string;
  readonly found?: string;
  readonly notes?: readonly string[];
  readonly run: () => unknown;
}

/** The checks of one token with their results, and advice for each that fails. */
export class CheckList {
  readonly checks: ExplainedCheck[] = [];

  /** @param context the known facts about the token */
  constructor(private context: AdviceContext) {}

  /** Adds facts about the token for the advice of later checks. */
  learn(facts: Partial<AdviceContext>): void {
    this.context = { ...this.context, ...facts };
  }

  /** Adds the result of a check that was made elsewhere. */
  add(check: ExplainedCheck): void {
    this.checks.push(check);
  }

  /** Makes a check, which throws or returns a refusal. @returns the result; `undefined` if it did not pass */
  async attempt({ run, ...what }: Attempt): Promise<unknown> {
    const { check } = what;
    let result: unknown;
    try {
      result = await run();
    } catch (error) {
      if (!isCodedError(error)) throw error;
      if (!(error instanceof TokenRefusedError)) {
        this.skip(check, error.explanation ?? error.message);
        return undefined;
      }
      result = error;
    }
    if (!(result instanceof TokenRefusedError)) {
      this.checks.push({ verdict: 'passed', ...what });
      return result;
    }
    const { code, explanation: reason } = result;
    const fix = adviceFor(result, this.context);
    this.checks.push({ verdict: 'refused', ...what, code, reason, fix });
    return undefined;
  }

  /** Adds a check that could not be made. */
  skip(check: string, reason: string): void {
    this.checks.push({ check, verdict: 'not checked', reason });
  }
}
