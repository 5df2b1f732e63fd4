import type { Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { TokenPolicyOptions } from './auth.module-definition.js';

/** What a route asks of a token; what is left out comes from `AuthModule`. */
export interface RequireJwtOptions extends Partial<TokenPolicyOptions> {
  /** Roles of which the token needs any (or all, see `rolesMatcher`). Default: none is needed. */
  roles?: readonly string[];
  /** Scopes of which the token needs any (or all, see `scopesMatcher`). Default: none is needed. */
  scopes?: readonly string[];
  /**
   * URL of the JWK Set that this route's tokens are verified with, and with nothing else: the keys
   * of another issuer do not count here, whatever their `kid`. How it is fetched says
   * `JwksModule`'s `remote`. Give `issuer`, `audience` and `algorithms` with it.
   */
  jwkUrl?: string;
  /** The same for a JWK file; its path is relative to the working directory. */
  jwkLocalPath?: string;
  /**
   * True: a request without a token passes as well, and `@Claims()` is `undefined` then. A token
   * that is refused is refused all the same (401). Not together with roles or scopes, which
   * anybody could avoid by leaving the token out.
   */
  optional?: boolean;
  /** True: the token needs one of `AuthModule`'s `adminRoles`; in place of `roles`. */
  admin?: boolean;
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
