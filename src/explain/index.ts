export { ExplainModule } from './explain.module.js';
export { EXPLAIN_OPTIONS, type ExplainModuleOptions } from './explain.module-definition.js';
