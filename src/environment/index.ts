export { foreignIssuers, mayCreateKeyFile } from './cross-checks.js';
export { withEnvFile } from './env-file.js';
export { Environment } from './environment.js';
export { VARIABLES, type Variable } from './fields.js';
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
