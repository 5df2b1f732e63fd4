import type { Environment } from '../environment/index.js';
import { createLog, type Log } from '../logging/index.js';

/**
 * The log that the environment asks for, begun with what is odd about the environment.
 *
 * @param shared other processes of the gateway write to the same stdout
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
