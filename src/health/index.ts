// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { HealthModule } from './health.module.js';
export { Readiness } from './readiness.service.js';
