// Says so on a Node that is too old, before anything fails for it.
import '../core/errors/index.js';

export { ExplainModule, ManagementExplainModule } from './explain.module.js';
export { EXPLAIN_OPTIONS, type ExplainModuleOptions } from './explain.module-definition.js';
export { Explanations } from './explanations.service.js';
