export type { MetricsSnapshot } from './cluster-metrics.js';
export { GatewayMetrics } from './gateway-metrics.js';
export { MetricsModule } from './metrics.module.js';
export type { MetricsModuleOptions } from './metrics.module-definition.js';
