import type { BackendCall } from './backend-client.service.js';

/** Follows calls to the backend, e.g. as spans of a distributed trace. */
export interface CallTracer {
  /** @returns `undefined` when this call is not followed */
  start(call: BackendCall): CallSpan | undefined;
}

/** One call that is followed. */
export interface CallSpan {
  /** What the backend gets beside the call's own headers. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * @param status of the answer
   * @param error what was thrown instead
   */
  end(status: number | undefined, error?: unknown): void;
}
