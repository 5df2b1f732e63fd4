import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { HopTokensModule, ReservedHeadersModule } from '../http/index.js';
import { RouteExplorer, RoutesModule } from '../routes/index.js';
import { AuthGuard } from './auth.guard.js';
import {
  AUTH_OPTIONS,
  type AUTH_ASYNC_OPTIONS_TYPE,
  type AUTH_OPTIONS_TYPE,
  ConfigurableAuthModule,
  type AuthModuleOptions,
} from './auth.module-definition.js';
import { DpopProofs } from './possession/dpop-proofs.service.js';
import { JwtVerifier } from './jwt-verifier.service.js';
import { GatewayConnections } from './context/gateway-connections.service.js';
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

/** `undefined` without `StateModule`: used proofs cannot be remembered, so no proof is accepted. */
const dpopProofs: FactoryProvider<DpopProofs | undefined> = {
  provide: DpopProofs,
  inject: [AUTH_OPTIONS, { token: STATE_STORE, optional: true }],
  useFactory: (options?: AuthModuleOptions, store?: StateStore) =>
    store === undefined ? undefined : new DpopProofs(store, options?.dpopNonce === true),
};

/** Checks connections to WebSocket gateways before the gateways get them. */
const gatewayConnections: FactoryProvider<GatewayConnections> = {
  provide: GatewayConnections,
  inject: [RouteExplorer, ProtectedRoutes, JwtVerifier, DpopProofs],
  useFactory: (...services: ConstructorParameters<typeof GatewayConnections>) =>
    new GatewayConnections(...services),
};

/**
 * Provides what `@RequireJwt` needs. It needs `JwksModule`. With `StateModule` tokens can be revoked, and DPoP-bound
 * tokens (RFC 9449) are accepted. The options are the defaults of all routes. With `protectAll: true` each route
 * without `@RequireJwt` and `@Public` is protected as by a bare `@RequireJwt()`.
 */
@Module({
  imports: [RoutesModule, ReservedHeadersModule, HopTokensModule],
  providers: [signatureCache, dpopProofs, JwtVerifier, ProtectedRoutes, gatewayConnections],
  exports: [JwtVerifier, ProtectedRoutes, DpopProofs, RoutesModule],
})
export class AuthModule extends ConfigurableAuthModule {
  static override forRoot(options: typeof AUTH_OPTIONS_TYPE): DynamicModule {
    return withGuard(super.forRoot(options), options);
  }

  static override forRootAsync(options: typeof AUTH_ASYNC_OPTIONS_TYPE): DynamicModule {
    return withGuard(super.forRootAsync(options), options);
  }
}

function withGuard(
  module: DynamicModule,
  options: { protectAll?: boolean } | undefined,
): DynamicModule {
  return options?.protectAll === true
    ? {
        ...module,
        providers: [...(module.providers ?? []), { provide: APP_GUARD, useClass: AuthGuard }],
      }
    : module;
}
