import type { Logger } from '../logging/index.js';

/**
 * After an error that nobody caught the state of the process is unknown: it is logged, and the
 * process ends with code 1. In a cluster a fresh worker takes its place.
 */
export function exitOnUnexpectedErrors(logger: Logger): void {
  // Rejections that nobody handles arrive here as well.
  process.on('uncaughtException', (error: unknown, origin) => {
    const { stack } =
      error instanceof Error ? error : new Error('a value that is no error was thrown');
    logger.fatal({ msg: `${origin}: the process ends`, stack });
    process.exit(1);
  });
}
