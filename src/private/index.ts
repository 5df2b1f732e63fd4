export { PrivateModule } from './private.module.js';
export type { PrivateModuleOptions } from './private.module-definition.js';
