import type { Logger } from 'pino';
import type { FinishedRequest } from '../http/index.js';

/** One line per request, after its answer: no token, no header, no query, no body. */
export function accessLog(pino: Logger) {
  return (finished: FinishedRequest): void => {
    const { id, method, route, status, milliseconds, refusal, aborted } = finished;
    const level = route.startsWith('/health/') ? 'debug' : 'info';
    if (!pino.isLevelEnabled(level)) return;
    pino[level](
      {
        request_id: id,
        method,
        route,
        status,
        ms: Math.round(milliseconds * 100) / 100,
        code: refusal?.code,
        reason: refusal?.explanation,
        aborted: aborted || undefined,
      },
      'request',
    );
  };
}
