import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestContext } from '../common/request-context.js';

type RoutedRequest = IncomingMessage & { route?: { path?: string } };

/** A request that is over. */
export interface FinishedRequest {
  /** The request itself, for what only some listeners look at. */
  request: IncomingMessage;
  id: string | undefined;
  method: string;
  /** The pattern of the route; the path of an unknown one may hold anything, a token among others. */
  route: string;
  status: number;
  milliseconds: number;
  refusal: { code: string; explanation?: string } | undefined;
  /** The client was gone before the answer was out. */
  aborted: boolean;
}

/** Called within the gateway's own work, so it must be quick and must not throw. */
export type RequestListener = (finished: FinishedRequest) => void;

/** Tells each of `listeners` of every request, once its answer is out or its client gone. */
export function requestEndMiddleware(...listeners: RequestListener[]) {
  return (request: RoutedRequest, response: ServerResponse, next: () => void): void => {
    const start = performance.now();
    response.once('close', () => {
      const context = requestContext(request);
      const finished: FinishedRequest = {
        request,
        id: context?.id,
        method: request.method ?? '',
        route: request.route?.path ?? '(none)',
        status: response.statusCode,
        milliseconds: performance.now() - start,
        refusal: context?.refusal,
        aborted: !response.writableFinished,
      };
      for (const listener of listeners) listener(finished);
    });
    next();
  };
}
