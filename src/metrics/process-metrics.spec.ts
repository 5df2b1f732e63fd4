import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import performanceHooks from 'node:perf_hooks';
import { Registry } from '@prometheus-io/client';
import { afterEach, describe, expect, it, vi, type Mock } from 'vitest';
import { registerProcessMetrics } from './process-metrics.js';

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const MILLISECOND = 1e6;

/** The metrics of a process whose event loop took `p99` nanoseconds from tick to tick. */
function withDelay(count: number, p99: number) {
  const fakes: { enable: Mock; reset: Mock }[] = [];
  vi.spyOn(performanceHooks, 'monitorEventLoopDelay').mockImplementation(() => {
    const fake = {
      enable: vi.fn<() => boolean>(),
      reset: vi.fn<() => void>(),
      count,
      percentile: () => p99,
    };
    fakes.push(fake);
    return fake as unknown as ReturnType<typeof performanceHooks.monitorEventLoopDelay>;
  });
  syncBuiltinESMExports();
  const registry = new Registry();
  registerProcessMetrics(registry);
  // The client library makes the first one, for figures of its own.
  return { histogram: fakes.at(-1), registry };
}

describe('registerProcessMetrics', () => {
  it.each([
    ['20 ms late', 100, 30 * MILLISECOND, 0.02],
    // The timer of the measurement ticks every 10 ms, and sometimes a little early.
    ['on time', 100, 9 * MILLISECOND, 0],
    ['not measured yet', 0, 0, 0],
  ])('shows an event loop that is %s', async (_what, count, p99, seconds) => {
    const { registry } = withDelay(count, p99);
    const text = await registry.getSingleMetricAsString('signet_event_loop_delay_seconds');
    expect(Number(text.split(' ').at(-1))).toBeCloseTo(seconds, 9);
  });

  it('begins the measurement anew at each scrape', async () => {
    const { histogram, registry } = withDelay(100, 30 * MILLISECOND);
    expect(histogram?.enable).toHaveBeenCalledTimes(1);
    await registry.metrics();
    await registry.metrics();
    expect(histogram?.reset).toHaveBeenCalledTimes(2);
  });

  it("says what is running, beside Node's own figures", async () => {
    const { registry } = withDelay(0, 0);
    const text = await registry.metrics();
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(text).toContain(`signet_build_info{version="${version}",node="${process.version}"} 1`);
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes'])
      expect(text).toContain(`# TYPE ${name} `);
  });
});
