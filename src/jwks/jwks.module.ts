import { Module } from '@nestjs/common';
import { IntrospectionEndpoints } from './introspection/introspection-endpoints.service.js';
import { JwkKeyStore } from './jwk-key-store.service.js';
import { ConfigurableJwksModule, JWKS_OPTIONS } from './jwks.module-definition.js';

/** Provides {@link JwkKeyStore} and {@link IntrospectionEndpoints}. Its options name the sources of the keys. */
@Module({
  providers: [
    {
      provide: JwkKeyStore,
      inject: [JWKS_OPTIONS],
      useFactory: JwkKeyStore.open.bind(JwkKeyStore),
    },
    IntrospectionEndpoints,
  ],
  exports: [JwkKeyStore, IntrospectionEndpoints],
})
export class JwksModule extends ConfigurableJwksModule {}
