export { readEnvironment, validateEnvironment } from './read-environment.js';
export { withDefaults } from './defaults.js';
export { readSecretFile } from './secret-file.js';
export { mayCreateKeyFile } from './cross-checks.js';
export { Environment } from './environment.js';
export { loadEnvironment } from './load-environment.js';
