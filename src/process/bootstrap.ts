import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { handleSignals, refuseInspector } from './process-signals.js';
import { boundThreadHeaps } from './thread-heaps.js';

/**
 * Runs the gateway as the environment configures it: one process, or a primary with its workers. If the boot fails,
 * prints one line per problem and ends the process with code 1.
 */
export async function bootstrap(): Promise<void> {
  // Comes first, since the other modules take time to load.
  handleSignals(cluster.isWorker);
  boundThreadHeaps();
  try {
    const { loadEnvironment } = await import('../environment/index.js');
    const { env, warnings } = loadEnvironment();
    // A second time, since `.env` may have set NODE_ENV=production.
    refuseInspector();
    const workers = env.WORKERS === 'auto' ? availableParallelism() : env.WORKERS;
    // Each branch loads only what it needs: the primary does not load the application, a single process does not
    // load the cluster, and a failed boot loads neither.
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
