import { Module, type FactoryProvider } from '@nestjs/common';
import { ReservedHeadersModule } from '../http/index.js';
import { RoutesModule } from '../routes/index.js';
import {
  AUTH_OPTIONS,
  ConfigurableAuthModule,
  type AuthModuleOptions,
} from './auth.module-definition.js';
import { JwtVerifier } from './jwt-verifier.service.js';
import { ProtectedRoutes } from './protected-routes.service.js';
import { SIGNATURE_CACHE_SIZE, SignatureCache } from '../core/verify/index.js';

const signatureCache: FactoryProvider<SignatureCache | undefined> = {
  provide: SignatureCache,
  inject: [AUTH_OPTIONS],
  // ProtectedRoutes reports missing options by name.
  useFactory: (options?: AuthModuleOptions) => {
    const limit = options?.signatureCache ?? SIGNATURE_CACHE_SIZE;
    return limit > 0 ? new SignatureCache(limit) : undefined;
  },
};

/** Makes `@RequireJwt` work; needs `JwksModule`. Options are the defaults of every route. */
@Module({
  imports: [RoutesModule, ReservedHeadersModule],
  providers: [signatureCache, JwtVerifier, ProtectedRoutes],
  exports: [JwtVerifier, ProtectedRoutes],
})
export class AuthModule extends ConfigurableAuthModule {}
