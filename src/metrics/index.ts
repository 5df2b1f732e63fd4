export { GatewayMetrics } from './gateway-metrics.service.js';
export { MetricsModule } from './metrics.module.js';
export type { MetricsModuleOptions } from './metrics.module-definition.js';
