import { Module } from '@nestjs/common';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { Revocations } from '../state/index.js';
import { ExplainController } from './explain.controller.js';
import { ConfigurableExplainModule } from './explain.module-definition.js';

/**
 * `POST /_explain`. Needs `JwksModule`, `AuthModule` and `StateModule`. Never in production: it tells
 * anybody why a token is refused.
 */
@Module(
  withNeeds(
    'ExplainModule',
    {
      JwksModule: [JwkKeyStore, IntrospectionEndpoints],
      AuthModule: [JwtVerifier, ProtectedRoutes],
      StateModule: [Revocations],
    },
    { controllers: [ExplainController] },
  ),
)
export class ExplainModule extends ConfigurableExplainModule {}
