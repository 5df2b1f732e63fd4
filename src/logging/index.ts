export { accessLog } from './access-log.js';
export { createPino, SignetLogger, type LogOptions } from './signet-logger.js';
