export { TokenController, type TokenAnswer } from './token.controller.js';
export { TokenModule } from './token.module.js';
export type { TokenModuleOptions } from './token.module-definition.js';
