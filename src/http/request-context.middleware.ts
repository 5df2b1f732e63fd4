import type { IncomingMessage, ServerResponse } from 'node:http';
import { setRequestContext } from './request-context.js';
import { requestId } from './request-id.js';

/** The first thing a request meets: gives it its id. */
export function requestContextMiddleware(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  const id = requestId(request.headers['x-request-id']);
  setRequestContext(request, { id });
  response.setHeader('X-Request-Id', id);
  next();
}
