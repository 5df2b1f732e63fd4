import type { MetricsSnapshot } from './cluster-metrics.js';
import type { ProcessStatus } from './process-status.js';

/** The data that the explain page is made of. */
export interface ExplainFacts {
  /** The routes by whose rules a token can be checked. */
  readonly routes: readonly {
    readonly method: string;
    readonly path: string;
    readonly access: string;
  }[];
}

/** An HTTP answer in JSON. */
export interface JsonAnswer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

/**
 * The answers of a process that serves requests, by the name of the question. The management listener, which may run
 * in another process, asks the questions.
 */
export interface Answers {
  readonly metrics: MetricsSnapshot;
  readonly status: ProcessStatus;
  /** For the explain page. */
  readonly facts: ExplainFacts;
  /** For the explain page: the result of the checks of a token. */
  readonly explanation: JsonAnswer;
}

/** The name of a question. */
export type Question = keyof Answers;
