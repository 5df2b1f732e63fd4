import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Environment } from './config/index.js';
import { createApp } from './create-app.js';
import { exitOnUnexpectedErrors } from './exit-on-unexpected-errors.js';
import { shutDownGracefully } from './graceful-shutdown.js';
import { exitOnSignals } from './process-signals.js';

/** The whole gateway in this process. */
export async function serveAlone(env: Environment): Promise<void> {
  const app = await serve(env);
  exitOnSignals(() => shutDown(app, env));
  const { port } = app.getHttpServer().address() as { port: number };
  new Logger('Signet').log(`Listening on http://${env.HOST}:${port}`);
}

/**
 * The listening application.
 *
 * @throws BootException when the environment or the keys cannot be used
 */
export async function serve({ HOST, PORT }: Environment): Promise<NestExpressApplication> {
  const app = await createApp();
  exitOnUnexpectedErrors();
  await app.listen(PORT, HOST);
  return app;
}

/** Ends the application without losing a request, within the times that the environment gives. */
export const shutDown = (
  app: NestExpressApplication,
  { SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS }: Environment,
): Promise<void> =>
  shutDownGracefully(app, { delayMs: SHUTDOWN_DELAY_MS, timeoutMs: SHUTDOWN_TIMEOUT_MS });
