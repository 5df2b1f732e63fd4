import { Module } from '@nestjs/common';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { SigningEvents } from '../signing/index.js';
import { Revocations } from '../state/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { ManagementAnswers } from './management-answers.service.js';
import { ManagementServer } from './management-server.service.js';
import { ConfigurableMetricsModule } from './metrics.module-definition.js';
import { StatusReport } from './status-report.service.js';

/**
 * Counts tokens, keys, revocations and backend calls, and serves the figures and a status page on a port of their own;
 * with `ManagementExplainModule` the explain page, too. Needs `JwksModule`, `StateModule` and `SigningModule`.
 * Requests are counted by a middleware.
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
    {
      providers: [GatewayMetrics, StatusReport, ManagementAnswers, ManagementServer],
      exports: [GatewayMetrics, ManagementAnswers],
    },
  ),
)
export class MetricsModule extends ConfigurableMetricsModule {}
