export type { Environment } from '../environment/environment.js';
export { loadEnvironment } from '../environment/load-environment.js';
export * from './namespaces.js';
export { readEnvironment, validateEnvironment } from '../environment/read-environment.js';
