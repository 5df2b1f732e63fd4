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

/**
 * Where handlers of one request run beside each other, each with a policy of its own: fields of GraphQL, messages of a
 * connection. By the request and by the handler.
 */
const perHandler = new WeakMap<object, WeakMap<CallableFunction, { claims?: VerifiedClaims }>>();

/** Notes what the policy of one handler makes of the token of a request; others may make something else of it. */
export function setVerifiedFor(
  request: object,
  handler: CallableFunction,
  claims: VerifiedClaims | undefined,
): void {
  let handlers = perHandler.get(request);
  if (handlers === undefined) perHandler.set(request, (handlers = new WeakMap()));
  handlers.set(handler, { claims });
}

/** What {@link setVerifiedFor} noted; of a handler without a policy, the claims that another one has accepted. */
export const verifiedClaimsFor = (
  request: object,
  handler: CallableFunction,
): VerifiedClaims | undefined => {
  const own = perHandler.get(request)?.get(handler);
  return own === undefined ? verifiedClaims(request) : own.claims;
};

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
