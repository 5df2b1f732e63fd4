import type { ExecutionContext, Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { StandardSchema } from './claims-class.js';
import type { RoutePolicyOptions, VerifiedClaims } from '../core/verify/index.js';

/**
 * Looks at the claims of a token that fulfils everything else, e.g. whether its user still exists. What it
 * throws is the answer: an `HttpException`, or the exception of the context's protocol.
 *
 * @returns what `request.user` is; `undefined` for the claims themselves
 */
export type ClaimsValidator = (claims: VerifiedClaims, context: ExecutionContext) => unknown;

/** What a route asks of a token; what is left out comes from `AuthModule`. */
export interface RequireJwtOptions extends Omit<RoutePolicyOptions, 'optional'> {
  /**
   * True: a request without a token passes as well, and `@Claims()` is `undefined` then. A token that is refused
   * is refused all the same (401). `lenient`: a token that is refused (401 `invalid_token`, e.g. one that is
   * expired) counts as none. Not together with roles or scopes, which anybody could avoid by leaving the
   * token out. Default false.
   */
  optional?: boolean | 'lenient';
  /** Replaces that of `AuthModule`. It runs once the token is accepted, on each request. */
  validate?: ClaimsValidator;
  /**
   * A class with class-validator's decorators, or a schema (zod, valibot: https://standardschema.dev), that the
   * claims have to fulfil, after all other
   * checks (401 `claim_invalid`, which names the claim and the rule). Claims that it does not
   * declare are allowed. `@Claims()` gives the claims as the token has them, not an instance.
   */
  claims?: ClaimsClass | StandardSchema;
}

/** A class that can be made without arguments. */
export type ClaimsClass = Type<object> & (new () => object);

/** Metadata of a class or a method that `@RequireJwt` decorates. */
export const REQUIRE_JWT = Reflector.createDecorator<RequireJwtOptions>();
