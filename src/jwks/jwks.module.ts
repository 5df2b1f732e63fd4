import { Module } from '@nestjs/common';
import { JwkKeyStore } from './jwk-key-store.service.js';
import { ConfigurableJwksModule, JWKS_OPTIONS } from './jwks.module-definition.js';

/** Provides {@link JwkKeyStore}; `forRoot` and `forRootAsync` take where the keys come from. */
@Module({
  providers: [
    {
      provide: JwkKeyStore,
      inject: [JWKS_OPTIONS],
      useFactory: JwkKeyStore.open.bind(JwkKeyStore),
    },
  ],
  exports: [JwkKeyStore],
})
export class JwksModule extends ConfigurableJwksModule {}
