import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ReservedHeadersModule } from '../common/reserved-headers.js';
import { RouteExplorer } from '../common/route-explorer.js';
import { ConfigurableAuthModule } from './auth.module-definition.js';
import { JwtVerifier } from './jwt-verifier.js';
import { ProtectedRoutes } from './protected-routes.js';

/** Makes `@RequireJwt` work; needs `JwksModule`. Options are the defaults of every route. */
@Module({
  imports: [DiscoveryModule, ReservedHeadersModule],
  providers: [JwtVerifier, ProtectedRoutes, RouteExplorer],
  exports: [JwtVerifier, ProtectedRoutes],
})
export class AuthModule extends ConfigurableAuthModule {}
