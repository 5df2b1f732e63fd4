import { Reflector } from '@nestjs/core';

/** The metadata of `@Public`, for `Reflector`. */
export const PUBLIC = Reflector.createDecorator<true>();

/**
 * Opens a route to everybody, although its class has `@RequireJwt`, or all routes are protected
 * (`AuthModule.forRoot({ protectAll: true })`, `AuthGuard` as `APP_GUARD`). On a class it opens all routes that have no
 * `@RequireJwt` of their own. Tokens are not read, so `@Claims()` is `undefined`; for a route that reads a token if
 * there is one, use `@RequireJwt({ optional: true })`.
 *
 * @example
 * ```ts
 * @Get('status')
 * @Public()
 * status() { return 'open'; }
 * ```
 */
export const Public = (): ClassDecorator & MethodDecorator => PUBLIC(true);
