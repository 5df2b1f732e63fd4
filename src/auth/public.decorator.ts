import { Reflector } from '@nestjs/core';

/** Metadata of a class or a method that `@Public` decorates. */
export const PUBLIC = Reflector.createDecorator<true>();

/**
 * Opens a route to everybody, below a class with `@RequireJwt`, `AuthModule.forRoot({ protectAll: true })` or
 * `AuthGuard` as `APP_GUARD`. On a class it opens all routes that have no `@RequireJwt` of their own.
 * No token is looked at: `@Claims()` is `undefined`. For a route that takes a token where there is one,
 * there is `@RequireJwt({ optional: true })`.
 *
 * @example
 * ```ts
 * @Get('status')
 * @Public()
 * status() { return 'open'; }
 * ```
 */
export const Public = (): ClassDecorator & MethodDecorator => PUBLIC(true);
