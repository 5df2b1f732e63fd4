import { dirname, join } from 'node:path';
// Without node: webpack 5.113.0 writes broken code for a worker of node:worker_threads.
import { Worker } from 'worker_threads';
import type { ThreadData } from './protocol.js';

const FILE = 'signet-state-worker.js';

/**
 * Starts the thread of a database. A thread starts from a file: it lies beside this one, or beside the
 * bundle that holds this package.
 */
export function startWorker(data: ThreadData): Worker {
  const options = { workerData: data };
  // esbuild has no import.meta.url in the CommonJS that it makes of this, but the name of the bundle.
  return import.meta.url === undefined
    ? new Worker(join(dirname(__filename), FILE), options)
    : // webpack and rspack find the file of a worker by this form, and bundle it.
      new Worker(new URL('./signet-state-worker.js', import.meta.url), options);
}

/** What failed when a thread started; a missing file gets the way to bundle it. */
export function startProblem(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
    ? new Error(
        `its thread has no ${FILE}; bundle node_modules/nest-signet/dist/state/sqlite/${FILE} as a second entry beside yours, or leave nest-signet out of the bundle`,
      )
    : error;
}
