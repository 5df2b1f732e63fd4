export { TokenExplainer } from './token-explainer.js';
export { type Explanation } from './explanation.js';
