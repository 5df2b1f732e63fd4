import { once } from 'node:events';
import type { Server } from 'node:http';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Environment } from '../environment/index.js';
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
 * @param sharesPort let the operating system spread connections over the processes that listen on
 * the port (SO_REUSEPORT). One process that hands them on would lose those that it gives to a worker
 * that dies, and gives a busy worker only one per turn of its event loop.
 * @throws BootError when the environment or the keys cannot be used
 */
export async function serve(
  { HOST, PORT }: Environment,
  sharesPort = false,
): Promise<NestExpressApplication> {
  const app = await createApp();
  exitOnUnexpectedErrors();
  await app.init();
  // Not app.listen, which knows nothing of shared ports.
  const server: Server = app.getHttpServer();
  server.listen({ host: HOST, port: PORT, reusePort: sharesPort });
  await once(server, 'listening');
  return app;
}

/** Ends the application without losing a request, within the times that the environment gives. */
export const shutDown = (
  app: NestExpressApplication,
  { SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS }: Environment,
): Promise<void> =>
  shutDownGracefully(app, { delayMs: SHUTDOWN_DELAY_MS, timeoutMs: SHUTDOWN_TIMEOUT_MS });
