import { Module } from '@nestjs/common';
import { ProtectedRoutes } from '../auth/index.js';
import { withNeeds } from '../options/index.js';
import { RoutesModule } from '../routes/index.js';
import { ProtectedResourceController } from './protected-resource.controller.js';
import { ConfigurableProtectedResourceModule } from './protected-resource.module-definition.js';

/**
 * `GET /.well-known/oauth-protected-resource[/path]` (RFC 9728): clients that are refused find out where to get a
 * token. The challenges of all routes with `@RequireJwt` lead there. Needs `AuthModule`, whose option `publicUrl`
 * says where clients reach the application.
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
