import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HopOptions } from '../core/verify/index.js';

/** Where a call to the backend goes, and on whose behalf. */
export interface CallTarget {
  /** Default `GET`; of a {@link ProxyCall} that of the client's request. */
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
  /**
   * True: the token of `from` goes to the backend, in the header in which it came; one of a cookie in
   * `Authorization`. Only a token that `@RequireJwt` has verified does. Default false.
   */
  forwardToken?: boolean;
  /**
   * The signed token in `Txn-Token` that tells this backend alone whose request it is: with options for this call,
   * true: with those of the route and of `BackendModule`, false: none. Default: one where the route or `BackendModule`
   * says `hop`.
   */
  hop?: boolean | HopOptions;
  /** Default: what `BackendModule` says. */
  jsonTypes?: JsonTypes;
}

/** One call to the backend. */
export interface BackendCall extends CallTarget {
  /** Sent byte for byte; never with `GET` or `HEAD`. */
  body?: Buffer;
  /** Content type of `body`. Default `application/json`. */
  contentType?: string;
}

/**
 * What the backend's answer is, in the words of KrakenD.
 *
 * - `json`: an object or a list in JSON, which reaches the client with its status, text unchanged. 4xx is the
 *   backend's own refusal, 204 an answer without a body; any other answer is a 502.
 * - `safejson`: the same, where a list becomes `{"collection": …}` and any other value `{"content": …}`.
 * - `string`: text of any kind with a 2xx status, as `text/plain`. 204 and errors as for `json`.
 * - `no-op`: whatever it is: status, body and allow-listed headers reach the client as they come, also those of
 *   errors and redirects.
 */
export type AnswerEncoding = 'json' | 'safejson' | 'string' | 'no-op';

/**
 * What a JSON answer may be declared as. `declared`: `application/json`, a type with `+json`, or nothing. `any`: as
 * anything, e.g. `text/json` or `text/plain`, and with a byte order mark before it; clients get it as
 * `application/json`, without the mark.
 */
export type JsonTypes = 'declared' | 'any';

/** One request of a client that is passed on to the backend, and the answer back. */
export interface ProxyCall extends CallTarget {
  /**
   * The client's request. Its body reaches the backend byte for byte, with its content type and whatever the
   * method, but never with `HEAD`.
   */
  from: IncomingMessage;
  /** The client's response: `@Res() response`, without `passthrough`. Headers that are set on it stay as they are. */
  to: ServerResponse;
  /** Default `json`. */
  encoding?: AnswerEncoding;
  /**
   * Further headers of the backend's answer that reach the client; `*`: all but those of the connection. Default:
   * none; with `no-op` always `Content-*`, `Set-Cookie`, `Location`, `ETag`, `Cache-Control`, `Expires`,
   * `Last-Modified`, `Vary`, `Accept-Ranges`, `Retry-After` and `WWW-Authenticate`.
   */
  responseHeaders?: readonly string[];
}

/** Follows calls to the backend, e.g. as spans of a distributed trace. */
export interface CallTracer {
  /** @returns `undefined` when this call is not followed */
  start(call: CallTarget): CallSpan | undefined;
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
