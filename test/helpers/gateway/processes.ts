import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The worker processes of a gateway, from proc(5). */
export const workersOf = (pid: number | undefined): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
    .filter(Boolean);

/** True while there is such a process, a dead one that nobody has waited for not included. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

/**
 * `NODE_OPTIONS` that run `code` before the gateway starts, in every process of it.
 *
 * @param code an expression or statements; `worker` is true in workers
 */
export const preload = (code: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`import cluster from 'node:cluster'; const worker = cluster.isWorker; ${code}`)}`;

/** In NODE_OPTIONS: the gateway loads modules by their names, which the files of the bundle do not have. */
export const NO_BUNDLE = `--import=${pathToFileURL(resolve('test/helpers/gateway/no-bundle.mjs')).href}`;

/**
 * Code for {@link preload}: the monotonic clock runs so many times as fast. The wall clock and timers do not.
 */
export const fasterClock = (speed: number): string =>
  `const monotonic = performance.now.bind(performance); performance.now = () => monotonic() * ${speed};`;

/** A value of the Prometheus text format; the sum over all labels. */
export function metricOf(text: string, name: string, labels = ''): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const [series = '', value] = line.split(' ');
    if ((series === name || series.startsWith(`${name}{`)) && series.includes(labels))
      sum += Number(value);
  }
  return sum;
}
