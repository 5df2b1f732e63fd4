export { accessLog } from '../access-log/access-log.js';
export { createLog, SignetLogger, type Log, type LogOptions } from './signet-logger.js';
