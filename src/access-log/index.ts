// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { accessLog } from './access-log.js';
