import { Reflector } from '@nestjs/core';
import type { TokenRequirement } from './auth.module-definition.js';

/** What a route asks of a token; what is left out comes from `AuthModule`. */
export interface RequireJwtOptions extends Partial<TokenRequirement> {
  /** Roles of which the token needs any (or all, see `rolesMatcher`). Default: none is needed. */
  roles?: readonly string[];
  /** Scopes of which the token needs any (or all, see `scopesMatcher`). Default: none is needed. */
  scopes?: readonly string[];
}

/** Metadata of a class or a method that `@RequireJwt` decorates. */
export const REQUIRE_JWT = Reflector.createDecorator<RequireJwtOptions>();
