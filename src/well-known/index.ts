export { ProtectedResourceModule } from './protected-resource.module.js';
export type { ProtectedResourceModuleOptions } from './protected-resource.module-definition.js';
export { WellKnownModule } from './well-known.module.js';
export type { WellKnownModuleOptions } from './well-known.module-definition.js';
