import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { holdTickShape } from './tick-shape.js';

/** Delay in milliseconds, so that requests which waited for the start are answered first. */
const AFTER_MS = 1000;

/**
 * Runs once after the start of a process. Writes the compile cache for the next process, since a process that is
 * killed does not write it, and frees the memory that only the start needed (about 20 MB of 145).
 */
export function settleAfterStart(): void {
  holdTickShape();
  setTimeout(() => {
    flushCompileCache();
    collectGarbage();
  }, AFTER_MS).unref();
}

/** Collects all garbage and shrinks the heap. This takes about 80 ms, so no request ever does it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
