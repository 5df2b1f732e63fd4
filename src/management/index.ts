// What the primary of a cluster needs; nothing here loads the application.
export { ClusterMetrics } from './cluster-metrics.js';
export { startManagementServer } from './management-listener.js';
