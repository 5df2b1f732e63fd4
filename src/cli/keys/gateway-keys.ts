/**
 * The gateway's own rules for keys. Taken from the single files, since the index of `jwks/` loads all
 * of Nest, which would make each command wait.
 */
export { decryptKeys, encryptKeys, isEncrypted } from '../../core/keys/encrypted-keys.js';
export { importJwk, type ImportedKey } from '../../core/keys/import-jwk.js';
export { KeyFile } from '../../jwks/key-file.js';
export { KEY_STATES, type KeyLifecycle, type KeyState } from '../../core/keys/key-lifecycle.js';
export { KeyError } from '../../core/keys/key.error.js';
export { AUTO_KID, KeySet } from '../../core/keys/key-set.js';
export { warnOfPublishedKeys } from '../../core/keys/published-keys.js';
export { thumbprint } from '../../core/keys/thumbprint.js';
