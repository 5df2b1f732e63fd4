import type { MetricsSnapshot } from './cluster-metrics.js';
import type { ProcessStatus } from './process-status.js';

/** What the explain page has to know. */
export interface ExplainFacts {
  /** Those whose rule a token can be checked against. */
  readonly routes: readonly {
    readonly method: string;
    readonly path: string;
    readonly access: string;
  }[];
}

/** An answer to a page. */
export interface JsonAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** What a process that serves requests can be asked by the management listener, which may be in another process. */
export interface Answers {
  /** What it has counted. */
  readonly metrics: MetricsSnapshot;
  readonly status: ProcessStatus;
  /** Where there is the explain page. */
  readonly facts: ExplainFacts;
  /** The verdict on a token; where there is that page. */
  readonly explanation: JsonAnswer;
}

/** The name of a question. */
export type Question = keyof Answers;
