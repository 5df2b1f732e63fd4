import { dirname, join } from 'node:path';
// Imported without the prefix node:, as webpack 5.113.0 writes broken code for a worker of node:worker_threads.
import { Worker } from 'worker_threads';
import type { ThreadData } from './protocol.js';

const FILE = 'signet-state-worker.js';

/**
 * Starts the thread of a database. The thread is started from a file, which lies beside this one, or beside the bundle
 * that holds this package.
 */
export function startWorker(data: ThreadData): Worker {
  const options = { workerData: data };
  // When esbuild compiles this to CommonJS, import.meta.url is undefined, and __filename is the bundle.
  return import.meta.url === undefined
    ? new Worker(join(dirname(__filename), FILE), options)
    : // webpack and rspack recognize a worker by this form, and bundle its file.
      new Worker(new URL('./signet-state-worker.js', import.meta.url), options);
}

/** Returns the error of a thread that did not start; for a missing file, one that says how to bundle it. */
export function startProblem(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
    ? new Error(
        `its thread has no ${FILE}; bundle node_modules/nest-signet/dist/state/sqlite/${FILE} as a second entry beside yours, or leave nest-signet out of the bundle`,
      )
    : error;
}
