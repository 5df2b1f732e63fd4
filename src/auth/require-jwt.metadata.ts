import type { ExecutionContext, Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { StandardSchema } from './claims-class.js';
import type { RoutePolicyOptions, VerifiedClaims } from '../core/verify/index.js';

/**
 * Checks the claims of a token that has passed all other checks, e.g. that its user still exists. To refuse it, throw
 * an `HttpException`, or the exception of the protocol of the context.
 *
 * @returns the value of `request.user`; `undefined`: the claims
 */
export type ClaimsValidator = (claims: VerifiedClaims, context: ExecutionContext) => unknown;

/** Options of `@RequireJwt`. Their defaults are the options of `AuthModule`. */
export interface RequireJwtOptions extends Omit<RoutePolicyOptions, 'optional'> {
  /**
   * True: a request without a token passes, too, and `@Claims()` is `undefined`. A refused token still gives 401.
   * `lenient`: a refused token (401 `invalid_token`, e.g. an expired one) counts as no token. It cannot be combined
   * with roles or scopes: a client could avoid them by sending no token. Default false.
   */
  optional?: boolean | 'lenient';
  /** Runs for each request whose token is accepted. It replaces `validate` of `AuthModule`. */
  validate?: ClaimsValidator;
  /**
   * A class with decorators of class-validator, or a schema (zod, valibot: https://standardschema.dev), for the claims.
   * It is the last check: 401 `claim_invalid`, with the claim and the rule. Other claims are allowed. `@Claims()` gives
   * the claims of the token, not an instance of the class.
   */
  claims?: ClaimsClass | StandardSchema;
}

/** A class whose constructor takes no arguments. */
export type ClaimsClass = Type<object> & (new () => object);

/** The metadata of `@RequireJwt`, for `Reflector`. */
export const REQUIRE_JWT = Reflector.createDecorator<RequireJwtOptions>();
