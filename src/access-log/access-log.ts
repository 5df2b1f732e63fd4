import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { verifiedBy, verifiedClaims } from '../auth/index.js';
import { qualifiedName } from '../core/revocation/index.js';
import { foreignIssuerOf } from '../core/verify/index.js';
import type { RequestListener } from '../http/index.js';
import type { LineWriter } from '../logging/index.js';

/**
 * One line per request, after its answer: no token, no header, no query, no body. A failure (5xx) is of the level
 * error, a probe of the level debug, everything else of the level info.
 *
 * @param pino a logger of pino, or what works as one
 * @param write how a line is written whose level is enabled. Default: by `pino`
 * @returns for `requestEndMiddleware`
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

/** Hex digits: enough to tell users apart. */
const HASH_LENGTH = 16;

/**
 * Stands for the verified `sub`, so that the lines of one user can be found (SHA-256 of it, the
 * first 16 digits) without the log naming anybody. It is a pseudonym and no more: who has a list of
 * all users can hash it. Of another issuer's token the issuer goes into it, too: its `sub` is another user.
 */
function subjectHash(request: IncomingMessage): string | undefined {
  const { sub, iss } = verifiedClaims(request) ?? {};
  const policy = verifiedBy(request);
  if (typeof sub !== 'string' || policy === undefined) return undefined;
  const name = qualifiedName(foreignIssuerOf(policy, iss), sub);
  return hash('sha256', name).slice(0, HASH_LENGTH);
}
