export { PagesModule } from './pages.module.js';
export type { PagesModuleOptions } from './pages.module-definition.js';
