import { suspendStackTraces } from './stack-traces.js';

/** What a check expected and what it found; never a token or a key. */
export interface RefusalData {
  /** Name of the claim or header parameter that was checked. */
  readonly claim?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

/** An error of a check that knows no framework. Adapters turn it into a response of their protocol. */
export abstract class RefusalError<Code extends string = string> extends Error {
  /**
   * @param code stable code of the error table
   * @param explanation what was expected and what was found; never the token or a key
   * @param data the explanation in a form that programs can read
   */
  constructor(
    readonly code: Code,
    readonly explanation: string,
    readonly data: RefusalData = {},
  ) {
    const restore = suspendStackTraces();
    super(explanation);
    restore();
  }
}

/** The members of an error, of any class, that has a code of the error table. */
export interface CodedError {
  readonly code: string;
  readonly explanation: string | undefined;
}

/** True for an error with `code` and `explanation`: a {@link RefusalError}, or an adapter's exception. */
export const isCodedError = (error: unknown): error is Error & CodedError =>
  error instanceof Error &&
  typeof (error as Partial<CodedError>).code === 'string' &&
  'explanation' in error;
