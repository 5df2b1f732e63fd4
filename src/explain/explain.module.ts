import { Global, Module } from '@nestjs/common';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { RouteExplorer, RouteTable } from '../routes/index.js';
import { Revocations } from '../state/index.js';
import { ExplainController } from './explain.controller.js';
import { ConfigurableExplainModule } from './explain.module-definition.js';
import { Explanations } from './explanations.service.js';

const NEEDS = {
  JwksModule: [JwkKeyStore, IntrospectionEndpoints],
  AuthModule: [JwtVerifier, ProtectedRoutes, RouteExplorer, RouteTable],
  StateModule: [Revocations],
};

/**
 * Serves `POST /_explain`. Needs `JwksModule`, `AuthModule` and `StateModule`. Do not import it in production: it tells
 * anybody why a token is refused.
 */
@Module(
  withNeeds('ExplainModule', NEEDS, {
    controllers: [ExplainController],
    providers: [Explanations],
  }),
)
export class ExplainModule extends ConfigurableExplainModule {}

/**
 * Serves the page `/_explain` on the management listener of `MetricsModule`, not on the port of the application. Needs
 * `JwksModule`, `AuthModule` and `StateModule`.
 */
@Global()
@Module(
  withNeeds('ManagementExplainModule', NEEDS, {
    providers: [Explanations],
    exports: [Explanations],
  }),
)
export class ManagementExplainModule extends ConfigurableExplainModule {}
