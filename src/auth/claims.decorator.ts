import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { readClaim } from '../core/claims/index.js';
import type { VerifiedClaims } from '../core/verify/index.js';
import { knownRequest } from './context/context-request.js';
import { verifiedClaims, verifiedClaimsFor } from './verified-request.js';

/**
 * Parameter decorator: gives the verified claims of the request's token, or the claim with the given name. Dots reach
 * nested claims. The value is `undefined` where no token was verified. It works in handlers of HTTP, GraphQL,
 * WebSockets and microservices.
 *
 * @example
 * ```ts
 * me(@Claims() claims: VerifiedClaims, @Claims('sub') sub: string) { … }
 * ```
 */
export const Claims = createParamDecorator(claimsOfContext);

/**
 * Returns the value of `@Claims()` in a context.
 *
 * @internal
 */
export function claimsOfContext(name: string | undefined, context: ExecutionContext): unknown {
  const request = knownRequest(context);
  if (request === undefined) return undefined;
  return context.getType() === 'http'
    ? claimsOfRequest(name, request)
    : member(name, verifiedClaimsFor(request, context.getHandler()));
}

/**
 * Returns the value of `@Claims()` for a request.
 *
 * @internal
 */
export function claimsOfRequest(name: string | undefined, request: object): unknown {
  return member(name, verifiedClaims(request));
}

const member = (name: string | undefined, claims: VerifiedClaims | undefined): unknown =>
  name === undefined || claims === undefined ? claims : readClaim(claims, name, true);
