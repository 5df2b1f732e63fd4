// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { GatewayMetrics } from './gateway-metrics.service.js';
export { ManagementAnswers } from './management-answers.service.js';
export { MetricsModule } from './metrics.module.js';
export { METRICS_OPTIONS, type MetricsModuleOptions } from './metrics.module-definition.js';
