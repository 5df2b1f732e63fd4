export {
  createLog,
  SignetLogger,
  type Log,
  type Logger,
  type LogOptions,
} from './signet-logger.js';
export { lineWriter, type LineWriter } from './request-lines.js';
