// First: it fails with a clear message where Node.js is too old.
import '../core/errors/index.js';

export { accessLog } from './access-log.js';
