import type { IncomingMessage } from 'node:http';
import { isSameOrigin, type OwnOrigin } from '../core/verify/index.js';
import { CsrfRefusedException } from './auth.exceptions.js';
import { trustsPeer } from '../http/index.js';

/**
 * For code that takes credentials from cookies, or sets them.
 *
 * @param publicUrl where browsers reach the gateway. Default: scheme and host that the client addressed; those
 * that a proxy tells count where Express' `trust proxy` says so
 * @param trustedOrigins whose pages may do as those of the gateway's own origin. Default: none
 * @throws CsrfRefusedException for a state-changing request that a page of another origin may have caused
 */
export function assertSameOrigin(
  request: IncomingMessage,
  publicUrl?: string,
  trustedOrigins?: OwnOrigin['trustedOrigins'],
): void {
  if (!isSameOrigin(request, { publicUrl, trustsPeer: trustsPeer(request), trustedOrigins }))
    throw new CsrfRefusedException();
}
