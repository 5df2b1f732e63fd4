import { applyDecorators, UseGuards } from '@nestjs/common';
import { AuthGuard } from './auth.guard.js';
import { REQUIRE_JWT, type RequireJwtOptions } from './require-jwt.metadata.js';

/**
 * Lets only requests with a valid token through: 401 for a missing or refused token, 403 when
 * roles or scopes are missing. On a class it covers all its routes; on a method it replaces what
 * the class says. Brings its guard along; without `AuthModule` the boot fails.
 *
 * @example
 * ```ts
 * @Get('orders')
 * @RequireJwt({ roles: ['clerk', 'admin'], requiredClaims: ['tenant'] })
 * list(@Claims('tenant') tenant: string) { … }
 * ```
 */
export const RequireJwt = (options: RequireJwtOptions = {}): ClassDecorator & MethodDecorator =>
  applyDecorators(REQUIRE_JWT(options), UseGuards(AuthGuard));
