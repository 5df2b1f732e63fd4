import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FinishedRequest } from './request-end.middleware.js';

/** Provider token of a {@link RequestTracer}. It stands here so that asking for one loads nothing. */
export const REQUEST_TRACER = Symbol('signet.request-tracer');

/** Follows requests from their beginning to their end. */
export interface RequestTracer {
  /** Middleware: the request begins. */
  begin(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** It is over. */
  end(finished: FinishedRequest): void;
}
