// Says so on a Node that is too old, before anything fails for it.
import '../core/errors/index.js';

export { HealthModule } from './health.module.js';
export { Readiness } from './readiness.service.js';
