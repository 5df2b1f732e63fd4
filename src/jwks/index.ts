// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export {
  INTROSPECTION_OUTCOMES,
  type IntrospectionOutcome,
} from './introspection/introspection-endpoint.js';
export { IntrospectionEndpoints } from './introspection/introspection-endpoints.service.js';
export { IntrospectionUnavailableException } from './introspection/introspection-unavailable.exception.js';
export { JwkKeyStore, type KeyReport, type KeySetReport } from './jwk-key-store.service.js';
export { JwksModule } from './jwks.module.js';
export { JWKS_OPTIONS, type JwksModuleOptions } from './jwks.module-definition.js';
export { KeysUnavailableException } from './keys-unavailable.exception.js';
export { KeyFile } from './key-file.js';
export { shareKeyReads, type Freshness, type SharedRead } from './remote/shared-reads.js';
export { watchFile } from './watch-file.js';
// Types that occur in the API of this module.
export {
  KeyError,
  type KeyDocument,
  type KeyIdentifyStrategy,
  type KeyProvider,
  type KeySource,
  type KeySourceOptions,
  type KeyUrlOptions,
  type RefreshPolicy,
} from '../core/keys/index.js';
export { requiredKeys } from './required-keys.js';
