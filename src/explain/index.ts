export { ExplainModule } from './explain.module.js';
export type { ExplainedCheck, Explanation } from './explanation.js';
export { TokenExplainer } from './token-explainer.js';
