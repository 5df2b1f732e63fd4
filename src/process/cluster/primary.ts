import { metricsOptions } from '../../config/index.js';
import { nowSeconds } from '../../core/time/index.js';
import { withPort, type Environment } from '../../environment/index.js';
import {
  ClusterMetrics,
  joinStatus,
  listenerUrl,
  startManagementServer,
} from '../../management/index.js';
import { exitOnUnexpectedErrors } from '../exit-on-unexpected-errors.js';
import { holdPort } from '../hold-port.js';
import { openLog } from '../open-log.js';
import { actOnSignals } from '../process-signals.js';
import { logDevelopmentPages } from '../log-development-pages.js';
import { withBackend } from '../with-backend.js';
import { WorkerPool } from './worker-pool.js';

/**
 * Runs the primary of a cluster. It serves only the management listener, starts `workers` processes, replaces those
 * that end, and passes signals on to them.
 *
 * @param warnings lines for the log about the environment
 * @throws Error when the port is in use, BootError when the management listener cannot listen
 */
export async function runPrimary(
  env: Environment,
  warnings: readonly string[],
  workers: number,
): Promise<void> {
  const log = await openLog(env, warnings);
  const logger = log.logger('Signet');
  exitOnUnexpectedErrors(logger);
  const metrics = new ClusterMetrics();
  // The workers share the port, so they would not notice that another process listens on it.
  const { port, release } = await holdPort(env.HOST, env.PORT);
  await release();
  const { SIGNER_ISSUER } = withPort(env, port);
  // What exists only once: the port, `/metrics`, which the primary serves, and the demo backend.
  const { BACKEND_HOST } = await withBackend(env, logger);
  const workerEnv = { BACKEND_HOST, MANAGEMENT_PORT: 'off', PORT: String(port) };
  const pool = new WorkerPool(
    workers,
    workerEnv,
    {
      ready: () => {
        const url = listenerUrl(env.HOST, port);
        logger.log(`Listening on ${url} (issuer ${SIGNER_ISSUER})`);
        logDevelopmentPages(env, url, logger);
      },
      failed: (problems) => {
        for (const line of problems) process.stderr.write(`signet: ${line}\n`);
        process.exit(1);
      },
      gone: (id) => metrics.forget(id),
    },
    log.logger('Cluster'),
  );
  await startManagementServer(metricsOptions(env), log.logger('Management'), {
    metrics: async () => metrics.text(await pool.askAll('metrics'), pool),
    status: async () => {
      const answers = await pool.askAll('status');
      return joinStatus(
        answers.flatMap(([, status]) => status ?? []),
        pool,
        nowSeconds(),
      );
    },
    explain: env.EXPLAIN_PAGE
      ? {
          facts: () => pool.askOne('facts'),
          explain: (question) => pool.askOne('explanation', question),
        }
      : undefined,
  });
  const shutDown = async (): Promise<void> => {
    const clean = await pool.shutDown(env.SHUTDOWN_DELAY_MS + env.SHUTDOWN_TIMEOUT_MS);
    if (!clean) throw new Error('a worker had to be ended by force');
  };
  actOnSignals({ shutDown, reload: () => pool.reload() }, logger);
  pool.start();
}
