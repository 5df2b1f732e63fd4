import { isCodedError, TokenRefusedError } from '../errors/index.js';
import { adviceFor, type AdviceContext } from './advice.js';
import type { ExplainedCheck } from './explanation.js';

/** What a check is about, for {@link CheckList.attempt}. */
interface Attempt {
  readonly check: string;
  readonly found?: string;
  readonly notes?: readonly string[];
  readonly run: () => unknown;
}

/** The checks of one token and what came of each, with advice where one fails. */
export class CheckList {
  readonly checks: ExplainedCheck[] = [];

  /** @param context what is known of the token so far */
  constructor(private context: AdviceContext) {}

  /** More is known of the token, for the advice of the checks that follow. */
  learn(facts: Partial<AdviceContext>): void {
    this.context = { ...this.context, ...facts };
  }

  /** Notes what came of a check that was made elsewhere. */
  add(check: ExplainedCheck): void {
    this.checks.push(check);
  }

  /** Makes a check, which throws a refusal or gives it back. @returns what it returns; `undefined` where it did not pass */
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

  /** Notes that a check could not be made. */
  skip(check: string, reason: string): void {
    this.checks.push({ check, verdict: 'not checked', reason });
  }
}
