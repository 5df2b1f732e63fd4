import { Module, type FactoryProvider } from '@nestjs/common';
import { ReservedHeadersModule } from '../http/index.js';
import { RoutesModule } from '../routes/index.js';
import {
  AUTH_OPTIONS,
  ConfigurableAuthModule,
  type AuthModuleOptions,
} from './auth.module-definition.js';
import { DpopProofs } from './dpop-proofs.service.js';
import { JwtVerifier } from './jwt-verifier.service.js';
import { ProtectedRoutes } from './protected-routes.service.js';
import { SIGNATURE_CACHE_SIZE, SignatureCache } from '../core/verify/index.js';
import { STATE_STORE, type StateStore } from '../state/index.js';

const signatureCache: FactoryProvider<SignatureCache | undefined> = {
  provide: SignatureCache,
  inject: [AUTH_OPTIONS],
  // ProtectedRoutes reports missing options by name.
  useFactory: (options?: AuthModuleOptions) => {
    const limit = options?.signatureCache ?? SIGNATURE_CACHE_SIZE;
    return limit > 0 ? new SignatureCache(limit) : undefined;
  },
};

/** `undefined` where nothing can be remembered: then no proof counts. */
const dpopProofs: FactoryProvider<DpopProofs | undefined> = {
  provide: DpopProofs,
  inject: [AUTH_OPTIONS, { token: STATE_STORE, optional: true }],
  useFactory: (options?: AuthModuleOptions, store?: StateStore) =>
    store === undefined ? undefined : new DpopProofs(store, options?.dpopNonce === true),
};

/**
 * Makes `@RequireJwt` work; needs `JwksModule`. With `StateModule`, tokens can be revoked, and those that are
 * bound to a key count (RFC 9449). Options are the defaults of every route.
 */
@Module({
  imports: [RoutesModule, ReservedHeadersModule],
  providers: [signatureCache, dpopProofs, JwtVerifier, ProtectedRoutes],
  exports: [JwtVerifier, ProtectedRoutes, DpopProofs],
})
export class AuthModule extends ConfigurableAuthModule {}
