export type { Environment } from './environment.js';
export { loadEnvironment } from './load-environment.js';
export * from './namespaces.js';
export { readEnvironment, validateEnvironment } from './read-environment.js';
