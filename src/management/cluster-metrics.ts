import { AggregatorRegistry, Counter, Gauge, Registry } from '@prometheus-io/client';
import type { MetricsText } from './management-routes.js';

/** The metrics of one process, in the form in which processes send them. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** What the primary counts about its workers. */
export interface WorkerCounts {
  /** Workers that serve requests. */
  readonly serving: number;
  /** Workers that were started in place of one that ended. */
  readonly restarts: number;
}

/**
 * Aggregates the metrics of all workers. Counters and histograms of a worker that ended or does not answer are still
 * part of the sums: a sum that decreases would look like a restart, and rates would be wrong.
 */
export class ClusterMetrics {
  private readonly registry = new Registry();
  private readonly workers: Gauge;
  private readonly restarts: Counter;
  /** The latest counters and histograms of each running worker. */
  private readonly last = new Map<number, MetricsSnapshot>();
  /** The counters and histograms of all workers that ended. */
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

  /** Keeps the counts of a worker that ended. */
  forget(id: number): void {
    const last = this.last.get(id);
    this.last.delete(id);
    if (last !== undefined) this.ended = merge([this.ended, last]).getMetricsAsArray() as never;
  }

  /**
   * The metrics of all workers in the Prometheus text format.
   *
   * @param snapshots by worker; `undefined` for a worker that did not answer
   */
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
