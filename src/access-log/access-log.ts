import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { verifiedBy, verifiedClaims } from '../auth/index.js';
import { qualifiedName } from '../core/revocation/index.js';
import { foreignIssuerOf } from '../core/verify/index.js';
import type { RequestListener } from '../http/index.js';
import type { LineWriter } from '../logging/index.js';

/**
 * Writes one line per request when its answer has ended. The line contains no token, header, query or body. Its level
 * is `error` for 5xx, `debug` for health probes, else `info`.
 *
 * @param pino a logger of pino, or an object with the same methods
 * @param write writes a line whose level is enabled. Default: `pino`
 * @returns the listener for `requestEndMiddleware`
 */
export function accessLog(
  pino: Pick<Logger, 'isLevelEnabled' | 'debug' | 'info' | 'error'>,
  write: LineWriter = (level, members, msg) => pino[level](members, msg),
): RequestListener {
  return (finished) => {
    const { request, id, method, route, status, milliseconds, refusal, aborted } = finished;
    const level = route.startsWith('/health/') ? 'debug' : status >= 500 ? 'error' : 'info';
    if (!pino.isLevelEnabled(level)) return;
    write(
      level,
      {
        request_id: id,
        method,
        route,
        status,
        sub_hash: subjectHash(request),
        ms: Math.round(milliseconds * 100) / 100,
        code: refusal?.code,
        reason: refusal?.explanation,
        aborted: aborted || undefined,
      },
      'request',
    );
  };
}

/** Hex digits of a hash, enough to distinguish users. */
const HASH_LENGTH = 16;

/**
 * A pseudonym of the verified `sub`: the first 16 hex digits of its SHA-256. It finds the lines of one user without
 * naming the user, but anybody with a list of all users can compute it. For tokens of other issuers the issuer is
 * hashed, too.
 */
function subjectHash(request: IncomingMessage): string | undefined {
  const { sub, iss } = verifiedClaims(request) ?? {};
  const policy = verifiedBy(request);
  if (typeof sub !== 'string' || policy === undefined) return undefined;
  const name = qualifiedName(foreignIssuerOf(policy, iss), sub);
  return hash('sha256', name).slice(0, HASH_LENGTH);
}
