import type { Logger } from '../logging/index.js';

/**
 * Logs an uncaught error and ends the process with code 1, since the state of the process is unknown after it. In a
 * cluster, the primary starts a new worker.
 */
export function exitOnUnexpectedErrors(logger: Logger): void {
  // Unhandled rejections arrive here as well.
  process.on('uncaughtException', (error: unknown, origin) => {
    const { stack } =
      error instanceof Error ? error : new Error('a value that is no error was thrown');
    logger.fatal({ msg: `${origin}: the process ends`, stack });
    process.exit(1);
  });
}
