// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { ProtectedResourceModule } from './protected-resource.module.js';
export {
  PROTECTED_RESOURCE_OPTIONS,
  type ProtectedResourceModuleOptions,
} from './protected-resource.module-definition.js';
export { WellKnownModule } from './well-known.module.js';
export { WELL_KNOWN_OPTIONS, type WellKnownModuleOptions } from './well-known.module-definition.js';
