import type { Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { RoutePolicyOptions } from '../core/verify/index.js';

/** What a route asks of a token; what is left out comes from `AuthModule`. */
export interface RequireJwtOptions extends RoutePolicyOptions {
  /**
   * A class with class-validator's decorators that the claims have to fulfil, after all other
   * checks (401 `claim_invalid`, which names the claim and the rule). Claims that it does not
   * declare are allowed. `@Claims()` gives the claims as the token has them, not an instance.
   */
  claims?: ClaimsClass;
}

/** A class that can be made without arguments. */
export type ClaimsClass = Type<object> & (new () => object);

/** Metadata of a class or a method that `@RequireJwt` decorates. */
export const REQUIRE_JWT = Reflector.createDecorator<RequireJwtOptions>();
