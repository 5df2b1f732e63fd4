export { OPTION_VARIABLES, withVariableNames } from './option-variables.js';
export * from './options.js';
