/**
 * The gateway's own rules for keys. Taken from the single files, since the index of `jwks/` loads all
 * of Nest, which would make each command wait.
 */
export { decryptKeys, encryptKeys, isEncrypted } from '../../core/keys/index.js';
export { importJwk, type ImportedKey } from '../../core/keys/index.js';
export { KeyFile } from '../../jwks/index.js';
export { KEY_STATES, type KeyLifecycle, type KeyState } from '../../core/keys/index.js';
export { KeyError } from '../../core/keys/index.js';
export { AUTO_KID, KeySet } from '../../core/keys/index.js';
export { warnOfPublishedKeys } from '../../core/keys/index.js';
export { thumbprint } from '../../core/keys/index.js';
