import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../app.module.js';
import { readEnvironment } from '../environment/index.js';
import { configureApp } from './configure-app.js';
import { GatewayAdapter } from '../server/index.js';
import { createLog, SignetLogger } from '../logging/index.js';

/**
 * The configured application, not yet listening.
 *
 * @throws BootError when the environment or the keys cannot be used
 */
export async function createApp(): Promise<NestExpressApplication> {
  const module = await AppModule.register();
  const env = readEnvironment();
  const log = createLog({ level: env.LOG_LEVEL, format: env.LOG_FORMAT });
  const app = await NestFactory.create<NestExpressApplication>(module, new GatewayAdapter(), {
    logger: new SignetLogger(log.pino),
    abortOnError: false,
    bodyParser: false,
    routeConflictPolicy: { duplicate: 'error' },
  });
  configureApp(app, env, log);
  if (env.SWAGGER_ENABLED) {
    // Nothing of it is loaded where it is off.
    const { serveDocumentation } = await import('../openapi/index.js');
    await serveDocumentation(app, { throttled: env.THROTTLE_LIMIT > 0 });
  }
  return app;
}
