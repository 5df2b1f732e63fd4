import type { GatewayEnvironment } from '../config/index.js';
import type { Environment } from '../environment/index.js';
import type { Logger } from '../logging/index.js';

/**
 * Returns the environment with a backend. If it names none, which is possible in development only, starts the demo
 * backend, which runs as long as this process.
 */
export async function withBackend(env: Environment, logger: Logger): Promise<GatewayEnvironment> {
  const { BACKEND_HOST = await startDemo(logger) } = env;
  return Object.assign({}, env, { BACKEND_HOST, demo: env.BACKEND_HOST === undefined });
}

async function startDemo(logger: Logger): Promise<string> {
  const { startDemoBackend } = await import('../demo/index.js');
  const { url } = await startDemoBackend();
  logger.log(`BACKEND_HOST is not set: the demo backend answers at ${url} (development only)`);
  return url;
}
