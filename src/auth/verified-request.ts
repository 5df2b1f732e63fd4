import type { TokenPolicy, VerifiedClaims } from '../core/verify/index.js';
import { requestContext } from '../http/index.js';

/**
 * Stores the result of a check with the request.
 *
 * @param claims `undefined` for a request without a token, on a route that needs none
 */
export function setVerified(
  request: object,
  policy: TokenPolicy,
  claims: VerifiedClaims | undefined,
): void {
  requestContext(request).verified = { policy, claims };
}

/**
 * Verified claims by request and handler. Several handlers of one request may run at the same time, each with its own
 * policy: fields of GraphQL, messages of a connection.
 */
const perHandler = new WeakMap<object, WeakMap<CallableFunction, { claims?: VerifiedClaims }>>();

/** Stores the result of one handler's policy. The policies of other handlers may have other results. */
export function setVerifiedFor(
  request: object,
  handler: CallableFunction,
  claims: VerifiedClaims | undefined,
): void {
  let handlers = perHandler.get(request);
  if (handlers === undefined) perHandler.set(request, (handlers = new WeakMap()));
  handlers.set(handler, { claims });
}

/** Returns what {@link setVerifiedFor} stored; for a handler without a policy, the claims that another one accepted. */
export const verifiedClaimsFor = (
  request: object,
  handler: CallableFunction,
): VerifiedClaims | undefined => {
  const own = perHandler.get(request)?.get(handler);
  return own === undefined ? verifiedClaims(request) : own.claims;
};

/** Returns the policy that the request fulfils; `undefined` when none was checked. */
export const verifiedBy = (request: object): TokenPolicy | undefined =>
  requestContext(request).verified?.policy;

/**
 * Returns the claims of the request's verified token; `undefined` when there is none. For code that cannot use
 * `@Claims()`: middleware behind the guard, interceptors, filters.
 *
 * @param request request of Node, Express or Fastify, client of a WebSocket, or context of a message
 */
export const verifiedClaims = (request: object): VerifiedClaims | undefined =>
  requestContext(request).verified?.claims;
