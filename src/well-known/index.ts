export { WellKnownModule } from './well-known.module.js';
export type { WellKnownModuleOptions } from './well-known.module-definition.js';
