import { Module } from '@nestjs/common';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { ManagementServer } from './management-server.service.js';
import { ConfigurableMetricsModule } from './metrics.module-definition.js';

/** Counts requests and serves the figures; needs `JwksModule`. */
@Module({ providers: [GatewayMetrics, ManagementServer], exports: [GatewayMetrics] })
export class MetricsModule extends ConfigurableMetricsModule {}
