// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { ExplainModule, ManagementExplainModule } from './explain.module.js';
export { EXPLAIN_OPTIONS, type ExplainModuleOptions } from './explain.module-definition.js';
export { Explanations } from './explanations.service.js';
