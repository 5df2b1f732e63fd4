import { setFlagsFromString } from 'node:v8';

/**
 * Bounds the young generation of all threads that are started later by 1 MB. The options with which `npm start` sizes
 * that of the main thread hold for each thread, and V8 prefers them to `resourceLimits`. The threads of SQLite make
 * little garbage: with 8 MB they would keep 16 MB each. The heap of the main thread stays as it is.
 */
export function boundThreadHeaps(): void {
  setFlagsFromString('--min-semi-space-size=1');
  setFlagsFromString('--max-semi-space-size=1');
}
