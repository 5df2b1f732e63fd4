// Says so on a Node that is too old, before anything fails for it.
import '../core/errors/index.js';

export { accessLog } from './access-log.js';
