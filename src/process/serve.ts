import { once } from 'node:events';
import type { Server } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { withPort, type Environment } from '../environment/index.js';
import type { Log } from '../logging/index.js';
import { listenerUrl } from '../management/index.js';
import { useDirectHandlers } from '../server/index.js';
import { settleAfterStart } from './after-start.js';
import { createApp } from './create-app.js';
import { exitOnUnexpectedErrors } from './exit-on-unexpected-errors.js';
import { shutDownGracefully } from './graceful-shutdown.js';
import { holdPort } from './hold-port.js';
import { openLog } from './open-log.js';
import { logDevelopmentPages } from './log-development-pages.js';
import { actOnSignals } from './process-signals.js';
import { reloadFiles } from './reload-files.js';
import { withBackend } from './with-backend.js';

/**
 * Runs the whole gateway in this process.
 *
 * @param warnings lines for the log about the environment
 */
export async function serveAlone(env: Environment, warnings: readonly string[]): Promise<void> {
  const log = await openLog(env, warnings, false);
  const logger = log.logger('Signet');
  const { url, issuer, shutDown, reload } = await serve(env, log);
  actOnSignals({ shutDown, reload }, logger);
  logger.log(`Listening on ${url} (issuer ${issuer})`);
  logDevelopmentPages(env, url, logger);
}

/** The listening application, with functions to end and to reload it. */
export interface ServedApp {
  readonly app: NestExpressApplication;
  /** URL of the listener. */
  readonly url: string;
  /** Issuer of the tokens that the gateway signs. */
  readonly issuer: string;
  /** Ends the application without losing a request. */
  readonly shutDown: () => Promise<void>;
  /** Reads files again. */
  readonly reload: () => void;
}

/**
 * Starts the application and listens.
 *
 * @param sharesPort true: the operating system spreads connections over the processes that listen on the port
 * (SO_REUSEPORT). If the primary passed them on instead, it would lose those that it gives to a worker that dies, and
 * a busy worker would accept only one per turn of its event loop.
 * @throws BootError when the environment or the keys cannot be used
 */
export async function serve(env: Environment, log: Log, sharesPort = false): Promise<ServedApp> {
  const logger = log.logger('Signet');
  // The issuer may contain the port. So a free port is found first, and kept until the application listens on it.
  const held = env.PORT === 0 ? await holdPort(env.HOST, 0) : undefined;
  const settled = held === undefined ? env : withPort(env, held.port);
  const { HOST: host, PORT: port } = settled;
  let app: NestExpressApplication;
  try {
    app = await createApp(await withBackend(settled, logger), log);
    exitOnUnexpectedErrors(logger);
    await app.init();
    useDirectHandlers(app);
  } finally {
    await held?.release();
  }
  // app.listen cannot be used: it has no option for shared ports.
  const server: Server = app.getHttpServer();
  server.listen({ host, port, reusePort: sharesPort });
  await once(server, 'listening');
  settleAfterStart();
  const times = { delayMs: env.SHUTDOWN_DELAY_MS, timeoutMs: env.SHUTDOWN_TIMEOUT_MS };
  return {
    app,
    url: listenerUrl(host, port),
    issuer: settled.SIGNER_ISSUER,
    shutDown: () => shutDownGracefully(app, times, logger),
    reload: () => reloadFiles(app, env),
  };
}
