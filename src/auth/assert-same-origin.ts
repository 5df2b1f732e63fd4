import type { IncomingMessage } from 'node:http';
import { isSameOrigin } from '../core/verify/index.js';
import { CsrfRefusedException } from './auth.exceptions.js';

/**
 * For code that takes credentials from cookies.
 *
 * @param publicUrl where browsers reach the gateway; see {@link isSameOrigin}
 * @throws CsrfRefusedException where {@link isSameOrigin} says no
 */
export function assertSameOrigin(request: IncomingMessage, publicUrl?: string): void {
  if (!isSameOrigin(request, publicUrl)) throw new CsrfRefusedException();
}
