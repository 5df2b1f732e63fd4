export { ExplainModule } from './explain.module.js';
export type { ExplainedCheck, Explanation } from '../core/explain/explanation.js';
export { TokenExplainer } from '../core/explain/token-explainer.js';
