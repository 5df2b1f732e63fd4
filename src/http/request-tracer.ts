import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FinishedRequest } from './request-end.middleware.js';

/** Provider token of a {@link RequestTracer}. It is in this file so that injecting a tracer loads nothing. */
export const REQUEST_TRACER = Symbol('signet.request-tracer');

/** Traces requests from begin to end. */
export interface RequestTracer {
  /** Middleware: the request begins. */
  begin(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Called when the request has finished. */
  end(finished: FinishedRequest): void;
}
