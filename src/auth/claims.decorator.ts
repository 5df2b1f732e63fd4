import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { readClaim } from '../core/claims/index.js';
import { verifiedClaims } from './verified-request.js';

/**
 * Parameter decorator: the verified claims of the request's token, or one of them by name (dots
 * reach nested claims). `undefined` where no token was verified.
 *
 * @example
 * ```ts
 * me(@Claims() claims: VerifiedClaims, @Claims('sub') sub: string) { … }
 * ```
 */
export const Claims = createParamDecorator(
  (name: string | undefined, context: ExecutionContext) => {
    const claims = verifiedClaims(context.switchToHttp().getRequest<IncomingMessage>());
    return name === undefined || claims === undefined ? claims : readClaim(claims, name, true);
  },
);
