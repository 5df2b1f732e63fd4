import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RouteExplorer } from '../common/route-explorer.js';
import { JwtSigner } from './jwt-signer.js';
import { SignedRoutes } from './signed-routes.js';
import { SignedTokens } from './signed-tokens.js';
import { ConfigurableSigningModule } from './signing.module-definition.js';

/** Makes `@SignFields` work; needs `JwksModule`. Options are the defaults of every route. */
@Module({
  imports: [DiscoveryModule],
  providers: [JwtSigner, SignedRoutes, SignedTokens, RouteExplorer],
  exports: [JwtSigner, SignedRoutes, SignedTokens],
})
export class SigningModule extends ConfigurableSigningModule {}
