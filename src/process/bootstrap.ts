import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { loadEnvironment } from '../environment/index.js';
import { describeBootError } from './describe-boot-error.js';

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
