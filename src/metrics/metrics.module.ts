import { Module } from '@nestjs/common';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { SigningEvents } from '../signing/index.js';
import { Revocations } from '../state/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { ManagementServer } from './management-server.service.js';
import { ConfigurableMetricsModule } from './metrics.module-definition.js';

/**
 * Counts tokens, keys, revocations and backend calls, and serves the figures on a port of their own. Needs
 * `JwksModule`, `StateModule` and `SigningModule`. Requests are counted by a middleware.
 *
 * @example
 * ```ts
 * app.use(requestEndMiddleware(app.get(GatewayMetrics).finished));
 * ```
 */
@Module(
  withNeeds(
    'MetricsModule',
    {
      JwksModule: [JwkKeyStore, IntrospectionEndpoints],
      StateModule: [Revocations],
      SigningModule: [SigningEvents],
    },
    { providers: [GatewayMetrics, ManagementServer], exports: [GatewayMetrics] },
  ),
)
export class MetricsModule extends ConfigurableMetricsModule {}
