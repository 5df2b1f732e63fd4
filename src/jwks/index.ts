export { JwkKeyStore } from './jwk-key-store.js';
export { JwksModule } from './jwks.module.js';
export type { KeyDocument, KeyProvider } from './key-provider.js';
export type { KeyIdentifyStrategy } from './key-set.js';
export type { JwksModuleOptions, KeySource } from './jwks.module-definition.js';
export { KeyProblem } from './key-problem.js';
export { KeysUnavailable } from './keys-unavailable.js';
export type { KeyUrlOptions } from './key-url.js';
export type { RefreshPolicy } from './remote-schedule.js';
