import { applyDecorators, UseGuards } from '@nestjs/common';
import { AuthGuard } from './auth.guard.js';
import { REQUIRE_JWT, type RequireJwtOptions } from './require-jwt.metadata.js';

/**
 * Protects a route with an access token (RFC 6750): 401 for a missing or refused token, 403 for missing roles or
 * scopes. On a class it protects all routes of the class. On a method it replaces the decorator of the class. The boot
 * fails without `AuthModule`.
 *
 * @param options what the route requires. Their defaults are the options of `AuthModule`
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
