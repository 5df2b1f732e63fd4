import type { IncomingMessage } from 'node:http';
import type { Requirement } from '../core/verify/token-policy.js';
import type { VerifiedClaims } from '../core/verify/verified-claims.js';

/** A symbol, so that no middleware or body can forge or overwrite it. */
const VERIFIED = Symbol('signet.verified');
type Verified = { requirement: Requirement; claims: VerifiedClaims | undefined };
type VerifiedRequest = IncomingMessage & { [VERIFIED]?: Verified };

/** @param claims `undefined` for a request that may do without a token, and does */
export function setVerified(
  request: IncomingMessage,
  requirement: Requirement,
  claims: VerifiedClaims | undefined,
): void {
  (request as VerifiedRequest)[VERIFIED] = { requirement, claims };
}

/** The requirement that the request fulfils; `undefined` when none was checked. */
export const verifiedBy = (request: IncomingMessage): Requirement | undefined =>
  (request as VerifiedRequest)[VERIFIED]?.requirement;

/** The claims of the request's verified token; `undefined` when there is none. */
export const verifiedClaims = (request: IncomingMessage): VerifiedClaims | undefined =>
  (request as VerifiedRequest)[VERIFIED]?.claims;
