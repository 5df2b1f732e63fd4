import { Module } from '@nestjs/common';
import { ProtectedRoutes } from '../auth/index.js';
import { withNeeds } from '../options/index.js';
import { RoutesModule } from '../routes/index.js';
import { ProtectedResourceController } from './protected-resource.controller.js';
import { ConfigurableProtectedResourceModule } from './protected-resource.module-definition.js';

/**
 * Serves `GET /.well-known/oauth-protected-resource[/path]` (RFC 9728), where a client learns how to get a token. The
 * challenges of all routes with `@RequireJwt` refer to it. Needs `AuthModule`; set its option `publicUrl` to the URL by
 * which clients reach the application.
 *
 * @example
 * ```ts
 * imports: [AuthModule.forRoot({ … }), ProtectedResourceModule.forRoot({ resourceName: 'Orders' })]
 * ```
 */
@Module(
  withNeeds(
    'ProtectedResourceModule',
    { AuthModule: [ProtectedRoutes] },
    { imports: [RoutesModule], controllers: [ProtectedResourceController] },
  ),
)
export class ProtectedResourceModule extends ConfigurableProtectedResourceModule {}
