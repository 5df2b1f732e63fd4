export { withEnvFile } from './env-file.js';
export { Environment } from './environment.js';
export { foreignIssuers, mayCreateKeyFile } from './key-sources.js';
export { isGiven, type RawEnvironment } from './raw-environment.js';
export {
  loadEnvironment,
  readEnvironment,
  readVariable,
  withDefaults,
  withPort,
  type LoadedEnvironment,
} from './read-environment.js';
export { readSecretFile } from './secret-file.js';
export { VARIABLES, type Variable } from './variable.js';
