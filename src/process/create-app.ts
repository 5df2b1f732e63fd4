import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../app.module.js';
import type { GatewayEnvironment } from '../config/index.js';
import { SignetLogger, type Log } from '../logging/index.js';
import { GatewayAdapter } from '../server/index.js';
import { configureApp } from './configure-app.js';

/**
 * Creates the configured application. It does not listen yet.
 *
 * @throws BootError when the keys, or a file that the environment names, cannot be used
 */
export async function createApp(
  env: GatewayEnvironment,
  log: Log,
): Promise<NestExpressApplication> {
  const module = await AppModule.register(env);
  const adapter = new GatewayAdapter(undefined, env.VALIDATOR_MAX_TOKEN_LENGTH);
  const app = await NestFactory.create<NestExpressApplication>(module, adapter, {
    logger: new SignetLogger(log.pino),
    abortOnError: false,
    bodyParser: false,
    routeConflictPolicy: { duplicate: 'error' },
  });
  configureApp(app, env, log);
  if (env.SWAGGER_ENABLED) {
    // Loaded only if it is on.
    const { serveDocumentation } = await import('../openapi/index.js');
    // Failed authentications of registered clients are always throttled.
    const throttled = env.THROTTLE_LIMIT > 0 || env.CLIENTS_FILE !== undefined;
    await serveDocumentation(app, { throttled });
  }
  return app;
}
