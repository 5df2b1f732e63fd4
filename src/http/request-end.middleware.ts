import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestContext, type RequestContext } from './request-context.js';

type RoutedRequest = IncomingMessage & { route?: { path?: string } };

/** A request that is over. */
export interface FinishedRequest {
  /** The request itself, for what only some listeners look at. */
  request: IncomingMessage;
  id: string;
  method: string;
  /** The pattern of the route; the path of an unknown one may hold anything, a token among others. */
  route: string;
  /** What was answered; 499 when the client was gone before there was an answer. */
  status: number;
  milliseconds: number;
  refusal: RequestContext['refusal'];
  /** It was a login, whatever came of it. */
  login: boolean;
  /** The client was gone before all of the answer was out. */
  aborted: boolean;
}

/** HTTP has no status for it; proxies log this one (nginx). */
const CLIENT_GONE = 499;

/** Called within the gateway's own work, so it must be quick and must not throw. */
export type RequestListener = (finished: FinishedRequest) => void;

/** Tells each of `listeners` of every request, once its answer is out or its client gone. */
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
