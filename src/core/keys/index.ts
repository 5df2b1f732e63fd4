export { decryptKeys, encryptKeys, isEncrypted } from './encrypted-keys.js';
export { DEFAULT_RSA_BITS, generateJwk } from './generate-jwk.js';
export { importJwk, type ImportedKey } from './import-jwk.js';
export {
  KEY_STATES,
  scheduledStep,
  type KeyLifecycle,
  type KeyState,
  type RotatingKey,
  type ScheduledStep,
} from './key-lifecycle.js';
export {
  RELOAD_INTERVAL_MS,
  STANDARD_REFRESH,
  type KeyDocument,
  type KeyProvider,
  type KeySource,
  type KeySourceOptions,
  type KeyUrlOptions,
  type RefreshPolicy,
} from './key-provider.js';
export {
  AUTO_KID,
  KeySet,
  type KeyIdentifyStrategy,
  type KeyInventory,
  type KeyNames,
} from './key-set.js';
export { KeyError } from './key.error.js';
export type { SkippedKey } from './parse-key-set.js';
export { warnOfPublishedKeys, type Warner } from './published-keys.js';
export { thumbprint } from './thumbprint.js';
