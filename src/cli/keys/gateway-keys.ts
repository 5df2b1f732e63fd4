/**
 * The gateway's own rules for keys. Taken from the single files, since the index of `jwks/` loads all
 * of Nest, which would make each command wait.
 */
export { decryptKeys, encryptKeys, isEncrypted } from '../../jwks/encrypted-keys.js';
export { importJwk, type ImportedKey } from '../../jwks/import-jwk.js';
export { KeyFile } from '../../jwks/key-file.js';
export { KEY_STATES, type KeyLifecycle, type KeyState } from '../../jwks/key-lifecycle.js';
export { KeyProblem } from '../../jwks/key-problem.js';
export { AUTO_KID, KeySet } from '../../jwks/key-set.js';
export { warnOfPublishedKeys } from '../../jwks/published-keys.js';
export { thumbprint } from '../../jwks/thumbprint.js';
