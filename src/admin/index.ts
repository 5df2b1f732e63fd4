// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { AdminModule, AdminSessionsModule } from './admin.module.js';
