import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { requestContext } from '../common/request-context.js';

type RoutedRequest = IncomingMessage & { route?: { path?: string } };

/** One line per request, after its answer: no token, no header, no query, no body. */
export function accessLog(pino: Logger) {
  return (request: RoutedRequest, response: ServerResponse, next: () => void): void => {
    const start = performance.now();
    response.once('close', () => {
      const route = request.route?.path;
      const level = route?.startsWith('/health/') ? 'debug' : 'info';
      if (!pino.isLevelEnabled(level)) return;
      const { id, refusal } = requestContext(request) ?? {};
      pino[level](
        {
          request_id: id,
          method: request.method,
          // The path of an unknown route may hold anything, a token among others.
          route: route ?? '(none)',
          status: response.statusCode,
          ms: Math.round((performance.now() - start) * 100) / 100,
          code: refusal?.code,
          reason: refusal?.explanation,
          aborted: response.writableFinished ? undefined : true,
        },
        'request',
      );
    });
    next();
  };
}
