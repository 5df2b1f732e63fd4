// What the primary of a cluster needs; nothing here loads the application.
export { ClusterMetrics } from './cluster-metrics.js';
export { startManagementServer } from './management-listener.js';
export { type MetricsSnapshot } from './cluster-metrics.js';
export { type MetricsText } from './management-listener.js';
