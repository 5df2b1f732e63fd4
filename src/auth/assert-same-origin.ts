import type { IncomingMessage } from 'node:http';
import { isSameOrigin, type OwnOrigin } from '../core/verify/index.js';
import { CsrfRefusedException } from './auth.exceptions.js';
import { trustsPeer } from '../http/index.js';

/**
 * Refuses cross-site requests (CSRF), for code that takes credentials from cookies or sets them.
 *
 * @param publicUrl URL by which browsers reach the gateway. Default: scheme and host of the request; `X-Forwarded-*`
 * counts where `trust proxy` of Express says so
 * @param trustedOrigins further origins whose pages may send such requests. Default: none
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
