import { Module } from '@nestjs/common';
import { RoutesModule } from '../routes/index.js';
import { JwtSigner } from './jwt-signer.service.js';
import { SignedRoutes } from './signed-routes.service.js';
import { SigningEvents } from './signing-events.service.js';
import { ConfigurableSigningModule } from './signing.module-definition.js';

/** Makes `@SignFields` work; needs `JwksModule`. Options are the defaults of every route. */
@Module({
  imports: [RoutesModule],
  providers: [JwtSigner, SignedRoutes, SigningEvents],
  exports: [JwtSigner, SignedRoutes, SigningEvents],
})
export class SigningModule extends ConfigurableSigningModule {}
