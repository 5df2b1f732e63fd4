import { Counter, type Histogram, type Registry } from '@prometheus-io/client';

interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
}

/** The durations with the same labels. */
export class DurationSeries<Label extends string> {
  count = 0;
  sum = 0;
  /** Number of durations per bucket, without those in lower buckets. */
  readonly inBucket: number[];

  constructor(
    readonly labels: Readonly<Record<Label, string>>,
    private readonly buckets: readonly number[],
  ) {
    this.inBucket = buckets.map(() => 0);
  }

  observe(seconds: number): void {
    this.count++;
    this.sum += seconds;
    const { buckets, inBucket } = this;
    for (let index = 0; index < buckets.length; index++) {
      if (seconds <= (buckets[index] as number)) {
        inBucket[index] = (inBucket[index] as number) + 1;
        return;
      }
    }
  }
}

type HistogramData<Label extends string> = Awaited<ReturnType<Histogram<Label>['get']>>;

/**
 * A histogram for durations that are measured with each request. The caller keeps the series of its labels: the
 * histogram of the Prometheus client checks all labels, and makes a key of them, at each observation. See the figures
 * in bench/README.md, 2026-11-28.
 */
export class DurationHistogram<Label extends string> {
  readonly name: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly help: string;
  private readonly all: DurationSeries<Label>[] = [];

  /** @param buckets upper bounds of the buckets in seconds, ascending */
  constructor(
    { name, help, registry }: MetricOptions,
    private readonly buckets: readonly number[],
  ) {
    this.name = name;
    this.help = help;
    // The types accept only the client's own metrics.
    registry.registerMetric(this as unknown as Histogram<Label>);
  }

  /** Adds a series. There must be none with these labels. */
  series(labels: Readonly<Record<Label, string>>): DurationSeries<Label> {
    const series = new DurationSeries(labels, this.buckets);
    this.all.push(series);
    return series;
  }

  /** Returns the same data as the histogram of the Prometheus client. */
  get(): Promise<HistogramData<Label>> {
    const { name, help, type, aggregator } = this;
    const values = this.all.flatMap((series) => this.valuesOf(series));
    return Promise.resolve({
      name,
      help,
      type,
      values,
      aggregator,
    } as unknown as HistogramData<Label>);
  }

  private valuesOf({ labels, count, sum, inBucket }: DurationSeries<Label>): object[] {
    const { name, buckets } = this;
    let below = 0;
    const bucketValues = buckets.map((le, index) => {
      below += inBucket[index] as number;
      return {
        labels: { le, ...labels },
        value: below,
        metricName: `${name}_bucket`,
        exemplar: null,
      };
    });
    return [
      ...bucketValues,
      {
        labels: { le: '+Inf', ...labels },
        value: count,
        metricName: `${name}_bucket`,
        exemplar: null,
      },
      { labels: { ...labels }, value: sum, metricName: `${name}_sum` },
      { labels: { ...labels }, value: count, metricName: `${name}_count` },
    ];
  }
}

/** Counts by the value of one label. The counter of the Prometheus client is updated when it is read. */
export class CountsByLabel<Label extends string> {
  readonly counter: Counter<Label>;
  private readonly counts = new Map<string, number>();

  constructor({ name, help, registry }: MetricOptions, label: Label) {
    this.counter = new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect: (): void => {
        this.counter.reset();
        for (const [value, count] of this.counts) this.counter.labels(value).inc(count);
      },
    });
  }

  /** @param by how many. Default 1 */
  add(value: string, by = 1): void {
    this.counts.set(value, (this.counts.get(value) ?? 0) + by);
  }
}
