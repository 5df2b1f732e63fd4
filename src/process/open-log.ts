import type { Environment } from '../environment/index.js';
import { createLog, type Log } from '../logging/index.js';

/**
 * Opens the log that the environment configures, and writes the warnings about the environment.
 *
 * @param shared true: other processes of the gateway write to the same stdout
 */
export async function openLog(
  { LOG_LEVEL, LOG_FORMAT }: Environment,
  warnings: readonly string[] = [],
  shared = true,
): Promise<Log> {
  const log = await createLog({ level: LOG_LEVEL, format: LOG_FORMAT, shared });
  const logger = log.logger('Environment');
  for (const warning of warnings) logger.warn(warning);
  return log;
}
