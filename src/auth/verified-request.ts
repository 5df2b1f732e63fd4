import type { IncomingMessage } from 'node:http';
import type { TokenPolicy, VerifiedClaims } from '../core/verify/index.js';
import { requestContext } from '../http/index.js';

/** @param claims `undefined` for a request that may do without a token, and does */
export function setVerified(
  request: IncomingMessage,
  policy: TokenPolicy,
  claims: VerifiedClaims | undefined,
): void {
  requestContext(request).verified = { policy, claims };
}

/** The policy that the request fulfils; `undefined` when none was checked. */
export const verifiedBy = (request: IncomingMessage): TokenPolicy | undefined =>
  requestContext(request).verified?.policy;

/** The claims of the request's verified token; `undefined` when there is none. */
export const verifiedClaims = (request: IncomingMessage): VerifiedClaims | undefined =>
  requestContext(request).verified?.claims;
