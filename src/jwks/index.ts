export { JwkKeyStore } from './jwk-key-store.service.js';
export { JwksModule } from './jwks.module.js';
export type { KeyDocument, KeyProvider } from '../core/keys/key-provider.js';
export type { KeyIdentifyStrategy } from '../core/keys/key-set.js';
export type { JwksModuleOptions, KeySource } from './jwks.module-definition.js';
export { KeyError } from '../core/keys/key.error.js';
export { KeysUnavailableException } from './keys-unavailable.exception.js';
export type { KeyUrlOptions } from './key-url.js';
export type { RefreshPolicy } from './remote-schedule.js';
