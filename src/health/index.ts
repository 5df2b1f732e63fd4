// First: it fails with a clear message where Node.js is too old.
import '../core/errors/index.js';

export { HealthModule } from './health.module.js';
export { Readiness } from './readiness.service.js';
