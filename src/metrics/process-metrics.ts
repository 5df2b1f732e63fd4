import { monitorEventLoopDelay } from 'node:perf_hooks';
import { packageVersion } from '../packages/index.js';
import { collectDefaultMetrics, Gauge, type Registry } from '@prometheus-io/client';

const RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;

/** Registers the metrics of any process: those of Node, the delay of the event loop, the version. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const delay = new Gauge({
    name: 'signet_event_loop_delay_seconds',
    help: 'How late the event loop was, 99th percentile since the last scrape; the worst worker.',
    aggregator: 'max',
    registers,
    collect: () => {
      // The histogram measures the time between two ticks of a timer, so its interval is subtracted.
      const late = histogram.count > 0 ? histogram.percentile(99) / NANOSECONDS : 0;
      delay.set(Math.max(0, late - RESOLUTION_MS / 1000));
      histogram.reset();
    },
  });
  new Gauge({
    name: 'signet_build_info',
    help: 'Always 1; the labels say what is running.',
    labelNames: ['version', 'node'],
    aggregator: 'first',
    registers,
  }).set({ version: packageVersion(), node: process.version }, 1);
}
