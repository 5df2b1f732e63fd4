import { Reflector } from '@nestjs/core';
import type { TokenRequirement } from './auth.module-definition.js';

/** What a route asks of a token; what is left out comes from `AuthModule`. */
export interface RequireJwtOptions extends Partial<TokenRequirement> {
  /** Roles of which the token needs any (or all, see `rolesMatcher`). Default: none is needed. */
  roles?: readonly string[];
  /** Scopes of which the token needs any (or all, see `scopesMatcher`). Default: none is needed. */
  scopes?: readonly string[];
  /** The token needs one of the module's `adminRoles`, instead of `roles`. */
  admin?: boolean;
  /**
   * URL of the JWK Set that this route's tokens are verified with, and with nothing else: the keys
   * of another issuer do not count here, whatever their `kid`. How it is fetched says
   * `JwksModule`'s `remote`. Give `issuer`, `audience` and `algorithms` with it.
   */
  jwkUrl?: string;
  /** The same for a JWK file; its path is relative to the working directory. */
  jwkLocalPath?: string;
}

/** Metadata of a class or a method that `@RequireJwt` decorates. */
export const REQUIRE_JWT = Reflector.createDecorator<RequireJwtOptions>();
