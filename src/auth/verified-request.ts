import type { TokenPolicy, VerifiedClaims } from '../core/verify/index.js';
import { requestContext } from '../http/index.js';

/** @param claims `undefined` for a request that may do without a token, and does */
export function setVerified(
  request: object,
  policy: TokenPolicy,
  claims: VerifiedClaims | undefined,
): void {
  requestContext(request).verified = { policy, claims };
}

/** The policy that the request fulfils; `undefined` when none was checked. */
export const verifiedBy = (request: object): TokenPolicy | undefined =>
  requestContext(request).verified?.policy;

/**
 * The claims of the request's verified token; `undefined` when there is none. For code that has a request and
 * no `@Claims()`: middleware behind the guard, interceptors, filters.
 *
 * @param request that of Node, Express or Fastify, the client of a WebSocket, the context of a message
 */
export const verifiedClaims = (request: object): VerifiedClaims | undefined =>
  requestContext(request).verified?.claims;
