/**
 * Signing and validation without a framework and without a network: keys, algorithms, the claims that
 * are stamped and the checks of a token. The Nest modules are built on it.
 */
export * from './claims/index.js';
export * from './errors/index.js';
export * from './jws/index.js';
export * from './keys/index.js';
export * from './revocation/index.js';
export * from './sign/index.js';
export * from './verify/index.js';
