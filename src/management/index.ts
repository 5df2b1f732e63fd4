// The primary of a cluster loads this folder, so nothing here may load the application.
export { ClusterMetrics, type MetricsSnapshot } from './cluster-metrics.js';
export { joinStatus, type GatewayStatus } from './gateway-status.js';
export {
  DEFAULT_MANAGEMENT_PORT,
  listenerUrl,
  startManagementServer,
  type ManagementOptions,
} from './management-listener.js';
export type { ExplainSource, ManagementSource, MetricsText } from './management-routes.js';
export { STATUS_LIMITS, type ProcessStatus, type RefusalStatus } from './process-status.js';
export type { Answers, ExplainFacts, JsonAnswer, Question } from './questions.js';
