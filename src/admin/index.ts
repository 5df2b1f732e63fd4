export { AdminModule, AdminSessionsModule } from './admin.module.js';
