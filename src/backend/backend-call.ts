import type { IncomingMessage } from 'node:http';

/** One call to the backend. */
export interface BackendCall {
  /** Default `GET`. */
  method?: string;
  /** Path below the configured host; may contain `{JWT.<claim>}`. */
  path: string;
  /**
   * The client's request: its allow-listed headers and query strings are forwarded, and what its
   * token's claims are to become.
   */
  from?: IncomingMessage;
  /** Verified claims for the placeholders of `path`. */
  claims?: Readonly<Record<string, unknown>>;
  /** Sent byte for byte; never with `GET` or `HEAD`. */
  body?: Buffer;
  /** Content type of `body`. Default `application/json`. */
  contentType?: string;
}

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
