export { TokenExplainer } from './token-explainer.js';
export { rewordExplanation, type Explanation } from './explanation.js';
