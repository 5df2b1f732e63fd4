import type { Environment } from '../environment/index.js';
import type { Logger } from '../logging/index.js';

/** In development, logs which pages a browser can open. */
export function logDevelopmentPages(env: Environment, url: string, logger: Logger): void {
  if (env.NODE_ENV !== 'development') return;
  const api = env.SWAGGER_ENABLED ? `; the API is at ${url}/docs` : '';
  logger.log(`Open ${url}/ to log in and try routes${api}`);
}
