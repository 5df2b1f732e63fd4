export { createLog, SignetLogger, type Log, type LogOptions } from './signet-logger.js';
