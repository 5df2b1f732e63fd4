// What the primary of a cluster needs; nothing here loads the application.
export { ClusterMetrics, type MetricsSnapshot } from './cluster-metrics.js';
export {
  DEFAULT_MANAGEMENT_PORT,
  listenerUrl,
  startManagementServer,
  type ManagementOptions,
  type MetricsText,
} from './management-listener.js';
