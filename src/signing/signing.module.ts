import { Module } from '@nestjs/common';
import { HopTokensModule } from '../http/index.js';
import { RouteExplorer, RoutesModule } from '../routes/index.js';
import { AnswerSerializer, runWithinSerializers } from './answer-serializer.service.js';
import { HopTokenSigner } from './hop-token-signer.service.js';
import { JwtSigner } from './jwt-signer.service.js';
import { SIGN_FIELDS } from './sign-fields.metadata.js';
import { SignedRoutes } from './signed-routes.service.js';
import { SigningEvents } from './signing-events.service.js';
import { SigningInterceptor } from './signing.interceptor.js';
import { ConfigurableSigningModule, SIGNING_OPTIONS } from './signing.module-definition.js';

/** Provides `JwtSigner` and what `@SignFields` needs. It needs `JwksModule`. */
@Module({
  imports: [RoutesModule, HopTokensModule],
  providers: [JwtSigner, SignedRoutes, SigningEvents, AnswerSerializer, HopTokenSigner],
  exports: [
    RoutesModule,
    JwtSigner,
    SignedRoutes,
    SigningEvents,
    AnswerSerializer,
    SIGNING_OPTIONS,
  ],
})
export class SigningModule extends ConfigurableSigningModule {
  constructor(explorer: RouteExplorer) {
    super();
    // Nest reads the order of interceptors when it registers the routes, before onModuleInit.
    for (const { handler } of explorer.routes())
      if (Reflect.hasMetadata(SIGN_FIELDS.KEY, handler))
        runWithinSerializers(SigningInterceptor, handler);
  }
}
