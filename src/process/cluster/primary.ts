import { Logger } from '@nestjs/common';
import type { Environment } from '../../environment/index.js';
import { metricsConfig } from '../../config/index.js';
import { exitOnUnexpectedErrors } from '../exit-on-unexpected-errors.js';
import { createLog, SignetLogger } from '../../logging/index.js';
import { ClusterMetrics, startManagementServer } from '../../management/index.js';
import { exitOnSignals } from '../process-signals.js';
import { reservePort } from './reserve-port.js';
import { WorkerPool } from './worker-pool.js';

/**
 * The process that serves nothing but `/metrics`: starts `workers` processes,
 * replaces those that end, and hands signals on.
 *
 * @throws Error when the port is in use, BootError when `/metrics` cannot be served
 */
export async function runPrimary(env: Environment, workers: number): Promise<void> {
  Logger.overrideLogger(
    new SignetLogger(createLog({ level: env.LOG_LEVEL, format: env.LOG_FORMAT }).pino),
  );
  exitOnUnexpectedErrors();
  const metrics = new ClusterMetrics();
  const port = await reservePort(env.HOST, env.PORT);
  const workerEnv = { ...(await workerEnvironment(env)), PORT: String(port) };
  const pool = new WorkerPool(workers, workerEnv, {
    ready: () => new Logger('Signet').log(`Listening on http://${env.HOST}:${port}`),
    failed: (problems) => {
      for (const line of problems) process.stderr.write(`signet: ${line}\n`);
      process.exit(1);
    },
    gone: (id) => metrics.forget(id),
  });
  await startManagementServer(metricsConfig(), async () =>
    metrics.text(await pool.snapshots(), pool),
  );
  exitOnSignals(async () => {
    const clean = await pool.shutDown(env.SHUTDOWN_DELAY_MS + env.SHUTDOWN_TIMEOUT_MS);
    if (!clean) throw new Error('a worker had to be ended by force');
  });
  pool.start();
}

/** What there is only one of: `/metrics` is served here, and the demo backend is shared. */
async function workerEnvironment({ BACKEND_HOST }: Environment): Promise<Record<string, string>> {
  const env = { MANAGEMENT_PORT: 'off' };
  if (BACKEND_HOST !== undefined) return env;
  const { DemoBackend } = await import('../../demo/index.js');
  return { ...env, BACKEND_HOST: await new DemoBackend().url() };
}
