import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { loadEnvironment } from '../environment/index.js';
import { describeBootError } from './describe-boot-error.js';

try {
  const env = await loadEnvironment();
  const workers = env.WORKERS === 'auto' ? availableParallelism() : Number(env.WORKERS);
  // The primary never loads the application, and a single process nothing of the cluster.
  if (cluster.isWorker) await (await import('./cluster/worker.js')).runWorker(env);
  else if (workers > 1) await (await import('./cluster/primary.js')).runPrimary(env, workers);
  else await (await import('./serve.js')).serveAlone(env);
} catch (error) {
  for (const line of describeBootError(error)) process.stderr.write(`signet: ${line}\n`);
  process.exit(1);
}
