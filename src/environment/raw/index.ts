/**
 * The variables as text: no types, no checks. A second door, because the checks load class-validator
 * (some 350 modules), which a command that only needs a path should not wait for.
 */
export { withDefaults } from '../defaults.js';
export { readSecretFile } from '../secret-file.js';
