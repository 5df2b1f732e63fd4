import { Module } from '@nestjs/common';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { ManagementServer } from './management-server.service.js';
import { ConfigurableMetricsModule } from './metrics.module-definition.js';

/**
 * Counts requests, logins, refusals, tokens and backend calls, and serves the figures on a port of
 * their own. Needs `JwksModule`, `StateModule`, `BackendModule` and `SigningModule`.
 */
@Module({ providers: [GatewayMetrics, ManagementServer], exports: [GatewayMetrics] })
export class MetricsModule extends ConfigurableMetricsModule {}
