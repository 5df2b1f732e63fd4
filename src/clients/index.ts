// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { ClientAuthentication } from './client-authentication.service.js';
export { assertGrantType, assertScopes, assertTargets } from './client-limits.js';
export { ClientRefusedException, type ClientRefusal } from './client-refused.exception.js';
export { ClientRegistry } from './client-registry.service.js';
export { ClientsModule } from './clients.module.js';
export {
  CLIENTS_OPTIONS,
  type ClientsModuleOptions,
  type ClientsSource,
} from './clients.module-definition.js';
export {
  basicHeader,
  hasClientCredentials,
  presentedClient,
  usesBasic,
  type PresentedClient,
  type RequestParameters,
} from './presented-client.js';
