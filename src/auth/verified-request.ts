import type { IncomingMessage } from 'node:http';
import type { TokenPolicy, VerifiedClaims } from '../core/verify/index.js';

/** A symbol, so that no middleware or body can forge or overwrite it. */
const VERIFIED = Symbol('signet.verified');
type Verified = { policy: TokenPolicy; claims: VerifiedClaims | undefined };
type VerifiedRequest = IncomingMessage & { [VERIFIED]?: Verified };

/** @param claims `undefined` for a request that may do without a token, and does */
export function setVerified(
  request: IncomingMessage,
  policy: TokenPolicy,
  claims: VerifiedClaims | undefined,
): void {
  (request as VerifiedRequest)[VERIFIED] = { policy, claims };
}

/** The policy that the request fulfils; `undefined` when none was checked. */
export const verifiedBy = (request: IncomingMessage): TokenPolicy | undefined =>
  (request as VerifiedRequest)[VERIFIED]?.policy;

/** The claims of the request's verified token; `undefined` when there is none. */
export const verifiedClaims = (request: IncomingMessage): VerifiedClaims | undefined =>
  (request as VerifiedRequest)[VERIFIED]?.claims;
