import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { handleSignals, refuseInspector } from './process-signals.js';

/**
 * Runs the gateway as the environment says: one process, or a primary with its workers. What refuses the
 * boot is printed, one line per problem, and the process ends with code 1.
 */
export async function bootstrap(): Promise<void> {
  // Before anything that takes time to load.
  handleSignals(cluster.isWorker);
  try {
    const { loadEnvironment } = await import('../environment/index.js');
    const { env, warnings } = loadEnvironment();
    // Also where it is `.env` that says production.
    refuseInspector();
    const workers = env.WORKERS === 'auto' ? availableParallelism() : env.WORKERS;
    // Each way loads what it needs: the primary nothing of the application, a single process nothing of
    // the cluster, and a refused boot neither.
    if (cluster.isWorker) await (await import('./cluster/worker.js')).runWorker(env);
    else if (workers > 1)
      await (await import('./cluster/primary.js')).runPrimary(env, warnings, workers);
    else await (await import('./serve.js')).serveAlone(env, warnings);
  } catch (error) {
    const { describeBootError } = await import('./describe-boot-error.js');
    for (const line of await describeBootError(error)) process.stderr.write(`signet: ${line}\n`);
    process.exit(1);
  }
}
