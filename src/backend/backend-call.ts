import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HopOptions } from '../core/verify/index.js';

/** Target of a call to the backend, and the request that it is made for. */
export interface CallTarget {
  /** HTTP method. Default `GET`; for a {@link ProxyCall} that of the client's request. */
  method?: string;
  /** Path below the host. `{JWT.<claim>}` is replaced by the claim. */
  path: string;
  /**
   * The client's request. Its allow-listed headers and query parameters are forwarded, and its claims as the headers of
   * `propagateClaims`.
   */
  from?: IncomingMessage;
  /** Verified claims for the placeholders of `path`. */
  claims?: Readonly<Record<string, unknown>>;
  /**
   * True: the token of `from` is forwarded, in the header in which it came; a token of a cookie in `Authorization`.
   * Only a token that `@RequireJwt` verified is forwarded. Default false.
   */
  forwardToken?: boolean;
  /**
   * The signed token for this backend in `Txn-Token`. Options: for this call. True: with the options of the route and
   * of `BackendModule`. False: no token. Default: a token where the route or `BackendModule` has the option `hop`.
   */
  hop?: boolean | HopOptions;
  /** Default: that of `BackendModule`. */
  jsonTypes?: JsonTypes;
}

/** One call to the backend. */
export interface BackendCall extends CallTarget {
  /** Request body, sent byte for byte. Not sent with `GET` or `HEAD`. */
  body?: Buffer;
  /** Content type of `body`. Default `application/json`. */
  contentType?: string;
}

/**
 * How the backend's answer is read and passed on. The names are those of KrakenD.
 *
 * - `json`: an object or a list in JSON, 2xx. The client gets the same text and status. 4xx and 204 are passed on; any
 *   other answer becomes 502.
 * - `safejson`: like `json`, but a list becomes `{"collection": …}`, and a value that is no object `{"content": …}`.
 * - `string`: text of any type, 2xx, passed on as `text/plain`. 204 and errors as for `json`.
 * - `no-op`: any answer. Status, body and allow-listed headers are passed on unchanged, also for errors and redirects.
 */
export type AnswerEncoding = 'json' | 'safejson' | 'string' | 'no-op';

/**
 * Accepted content types of JSON answers. `declared`: `application/json`, a type with `+json`, or none. `any`: every
 * type, e.g. `text/json` or `text/plain`, also with a byte order mark; the client gets `application/json` without the
 * mark.
 */
export type JsonTypes = 'declared' | 'any';

/** A client's request that is forwarded to the backend, and whose answer is passed back. */
export interface ProxyCall extends CallTarget {
  /**
   * The client's request. Its body is forwarded byte for byte with its content type, with every method but `HEAD`.
   */
  from: IncomingMessage;
  /** The client's response: `@Res() response`, without `passthrough`. Headers that are set on it are not replaced. */
  to: ServerResponse;
  /** How the answer is read. Default `json`. */
  encoding?: AnswerEncoding;
  /**
   * Further headers of the answer that are passed on; `*`: all but those of the connection. Default: none. `no-op`
   * always passes on `Content-*`, `Set-Cookie`, `Location`, `ETag`, `Cache-Control`, `Expires`,
   * `Last-Modified`, `Vary`, `Accept-Ranges`, `Retry-After` and `WWW-Authenticate`.
   */
  responseHeaders?: readonly string[];
}

/** Traces calls to the backend, e.g. as spans of a distributed trace. */
export interface CallTracer {
  /** @returns `undefined` where this call is not traced */
  start(call: CallTarget): CallSpan | undefined;
}

/** The span of one call. */
export interface CallSpan {
  /** Further headers of the call. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * @param status status of the answer
   * @param error the error, if there was no answer
   */
  end(status: number | undefined, error?: unknown): void;
}
