import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestContext, type RequestContext } from './request-context.js';

type RoutedRequest = IncomingMessage & { route?: { path?: string } };

/** A finished request. */
export interface FinishedRequest {
  /** The request itself, for listeners that need more of it. */
  request: IncomingMessage;
  id: string;
  method: string;
  /** Pattern of the route, or `(none)`: the path of an unknown route may contain anything, even a token. */
  route: string;
  /** Status of the answer; 499 if the client disconnected before there was an answer. */
  status: number;
  milliseconds: number;
  refusal: RequestContext['refusal'];
  /** True for a login, successful or not. */
  login: boolean;
  /** True if the client disconnected before the whole answer was sent. */
  aborted: boolean;
}

/** Status if the client disconnects. HTTP defines none; proxies log this one (nginx). */
const CLIENT_GONE = 499;

/** Called when a request has finished. It must be fast and must not throw, since requests wait for it. */
export type RequestListener = (finished: FinishedRequest) => void;

/** Middleware: calls each listener for every request, when its answer is sent or its client has disconnected. */
export function requestEndMiddleware(...listeners: RequestListener[]) {
  return (request: RoutedRequest, response: ServerResponse, next: () => void): void => {
    const start = performance.now();
    response.on('close', () => {
      const { id, refusal, login } = requestContext(request);
      const finished: FinishedRequest = {
        request,
        id,
        method: request.method ?? '',
        route: request.route?.path ?? '(none)',
        status: response.headersSent ? response.statusCode : CLIENT_GONE,
        milliseconds: performance.now() - start,
        refusal,
        login,
        aborted: !response.writableFinished,
      };
      for (const listener of listeners) listener(finished);
    });
    next();
  };
}
