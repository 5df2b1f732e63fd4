import { AggregatorRegistry, Counter, Gauge, Registry } from '@prometheus-io/client';
import type { MetricsText } from './management-routes.js';

/** What one process has counted, as it is sent between processes. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** What only the primary knows. */
export interface WorkerCounts {
  readonly serving: number;
  readonly restarts: number;
}

/**
 * The metrics of all workers as one. What only ever grows goes on from where a worker left it that
 * ended or does not answer: a sum that shrinks would look like a restart of everything, and rates
 * would jump.
 */
export class ClusterMetrics {
  private readonly registry = new Registry();
  private readonly workers: Gauge;
  private readonly restarts: Counter;
  /** The latest growing metrics of each living worker. */
  private readonly last = new Map<number, MetricsSnapshot>();
  /** Those of all workers that ended. */
  private ended: MetricsSnapshot = [];

  constructor() {
    const registers = [this.registry];
    this.workers = new Gauge({
      name: 'signet_workers',
      help: 'Worker processes that serve requests.',
      registers,
    });
    this.restarts = new Counter({
      name: 'signet_worker_restarts_total',
      help: 'Worker processes started in place of one that ended.',
      registers,
    });
  }

  /** A worker ended; what it counted stays. */
  forget(id: number): void {
    const last = this.last.get(id);
    this.last.delete(id);
    if (last !== undefined) this.ended = merge([this.ended, last]).getMetricsAsArray() as never;
  }

  /** @param snapshots by worker; `undefined` of one that did not answer */
  async text(
    snapshots: readonly [id: number, snapshot: MetricsSnapshot | undefined][],
    { serving, restarts }: WorkerCounts,
  ): Promise<MetricsText> {
    this.workers.set(serving);
    this.restarts.reset();
    this.restarts.inc(restarts);
    const parts = snapshots.map(([id, snapshot]) => {
      if (snapshot === undefined) return this.last.get(id) ?? [];
      this.last.set(
        id,
        snapshot.filter(({ type }) => type === 'counter' || type === 'histogram'),
      );
      return snapshot;
    });
    const all = merge([this.ended, ...parts, await this.registry.getMetricsAsJSON()]);
    return { contentType: all.contentType, body: await all.metrics() };
  }
}

const merge = (parts: MetricsSnapshot[]): Registry => AggregatorRegistry.aggregate(parts);
