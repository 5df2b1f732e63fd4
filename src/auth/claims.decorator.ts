import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { readClaim } from '../core/claims/index.js';
import { knownRequest } from './context/context-request.js';
import { verifiedClaims } from './verified-request.js';

/**
 * Parameter decorator: the verified claims of the request's token, or the claim of a name; dots reach nested claims. It
 * is `undefined` where no token was verified. It works in handlers of HTTP, GraphQL, WebSockets and microservices.
 *
 * @example
 * ```ts
 * me(@Claims() claims: VerifiedClaims, @Claims('sub') sub: string) { … }
 * ```
 */
export const Claims = createParamDecorator(claimsOfContext);

/**
 * What `@Claims()` is in a context.
 *
 * @internal
 */
export function claimsOfContext(name: string | undefined, context: ExecutionContext): unknown {
  const request = knownRequest(context);
  return request && claimsOfRequest(name, request);
}

/**
 * What `@Claims()` is for a request.
 *
 * @internal
 */
export function claimsOfRequest(name: string | undefined, request: object): unknown {
  const claims = verifiedClaims(request);
  return name === undefined || claims === undefined ? claims : readClaim(claims, name, true);
}
