import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { loadEnvironment } from '../environment/index.js';
import { describeBootError } from './describe-boot-error.js';

/**
 * Runs the gateway as the environment says: one process, or a primary with its workers. What refuses the
 * boot is printed, one line per problem, and the process ends with code 1.
 */
export async function bootstrap(): Promise<void> {
  try {
    const { env, warnings } = loadEnvironment();
    const workers = env.WORKERS === 'auto' ? availableParallelism() : env.WORKERS;
    // Each way loads what it needs: the primary nothing of the application, a single process nothing of
    // the cluster, and a refused boot neither.
    if (cluster.isWorker) await (await import('./cluster/worker.js')).runWorker(env);
    else if (workers > 1)
      await (await import('./cluster/primary.js')).runPrimary(env, warnings, workers);
    else await (await import('./serve.js')).serveAlone(env, warnings);
  } catch (error) {
    for (const line of await describeBootError(error)) process.stderr.write(`signet: ${line}\n`);
    process.exit(1);
  }
}
