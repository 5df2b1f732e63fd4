export { JwkKeyStore } from './jwk-key-store.js';
export { JwksModule } from './jwks.module.js';
export type { JwksModuleOptions } from './jwks.module-definition.js';
export { KeyProblem } from './key-problem.js';
