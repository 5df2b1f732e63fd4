export { optionProblems, withCheckedOptions } from './check-options.js';
export { withNeeds } from './module-needs.js';
export * as kinds from './option-kinds.js';
export type { OptionKind, OptionKinds } from './option-kinds.js';
export {
  HOP_KINDS,
  IDENTIFY_STRATEGY,
  KEY_URL_KINDS,
  POLICY_KINDS,
  ROUTE_KINDS,
} from './shared-kinds.js';
