import { Inject, Injectable, Optional } from '@nestjs/common';
import { Counter, Registry } from '@prometheus-io/client';
import type { BackendClient } from '../backend/index.js';
import { epochSeconds } from '../core/time/index.js';
import { BACKEND_CLIENT, KNOWN_METHODS, type RequestListener } from '../http/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import {
  STATUS_LIMITS,
  type MetricsSnapshot,
  type MetricsText,
  type ProcessStatus,
  type RefusalStatus,
} from '../management/index.js';
import { SigningEvents } from '../signing/index.js';
import { Revocations } from '../state/index.js';
import { registerBackendMetrics, setTo } from './backend-metrics.js';
import { CountsByLabel, DurationHistogram, type DurationSeries } from './counted-series.js';
import { registerIntrospectionMetrics } from './introspection-metrics.js';
import { registerKeyMetrics } from './key-metrics.js';
import { registerProcessMetrics } from './process-metrics.js';
import { registerSigningMetrics } from './signing-metrics.js';
import { registerStateMetrics } from './state-metrics.js';

/** Buckets in seconds: a request that signs or verifies takes a few milliseconds, a slow backend seconds. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

type RequestLabel = 'method' | 'route' | 'status';

/** The Prometheus metrics of the gateway. */
@Injectable()
export class GatewayMetrics {
  private readonly registry = new Registry();
  private readonly requests: DurationHistogram<RequestLabel>;
  /** Series by route, status and method. */
  private readonly series = new Map<
    string,
    Map<number, Map<string, DurationSeries<RequestLabel>>>
  >();
  private readonly refusals: CountsByLabel<'code'>;
  private readonly logins: CountsByLabel<'outcome'>;
  /** The last refusals, the oldest first. */
  private readonly refused: RefusalStatus[] = [];

  constructor(
    keys: JwkKeyStore,
    revocations: Revocations,
    signing: SigningEvents,
    endpoints: IntrospectionEndpoints,
    @Optional() @Inject(BACKEND_CLIENT) backend?: BackendClient,
  ) {
    const { registry } = this;
    registerProcessMetrics(registry);
    this.requests = new DurationHistogram(
      {
        name: 'signet_http_request_duration_seconds',
        help: 'Duration of requests by method, route pattern and status.',
        registry,
      },
      DURATION_BUCKETS,
    );
    this.refusals = new CountsByLabel(
      {
        name: 'signet_refusals_total',
        help: 'Requests refused or failed, by error code.',
        registry,
      },
      'code',
    );
    this.logins = new CountsByLabel(
      {
        name: 'signet_logins_total',
        help: 'Logins by outcome: succeeded, refused (4xx: mostly wrong passwords), failed (5xx), aborted by the client.',
        registry,
      },
      'outcome',
    );
    // Prometheus can calculate a rate only if it has seen the counter at 0.
    for (const outcome of ['succeeded', 'refused', 'failed', 'aborted'])
      this.logins.add(outcome, 0);
    registerKeyMetrics(this.registry, keys);
    registerIntrospectionMetrics(this.registry, endpoints);
    registerStateMetrics(this.registry, revocations);
    if (backend !== undefined) registerBackendMetrics(this.registry, backend);
    registerSigningMetrics(this.registry, signing);
  }

  /**
   * Counts dropped lines of the log.
   *
   * @param dropped returns the number of dropped lines so far
   */
  countDroppedLines(dropped: () => number): void {
    const lines = new Counter({
      name: 'signet_log_lines_dropped_total',
      help: 'Lines of the log that were dropped because nobody read them.',
      registers: [this.registry],
      collect: (): void => setTo(lines, dropped()),
    });
  }

  /** Counts one request; for `requestEndMiddleware`. */
  readonly finished: RequestListener = ({
    id,
    method,
    route,
    status,
    milliseconds,
    refusal,
    login,
    aborted,
  }) => {
    this.request(method, route, status, milliseconds / 1000, refusal?.code);
    if (refusal !== undefined) this.remember(id, method, route, status, refusal.code);
    if (login) this.login(status, aborted);
  };

  /** Counts one finished request. `code` is the error code of a refusal. */
  request(
    method: string,
    route: string,
    status: number,
    seconds: number,
    code: string | undefined,
  ): void {
    this.seriesOf(known(method), route, status).observe(seconds);
    if (code !== undefined) this.refusal(code);
  }

  private seriesOf(method: string, route: string, status: number): DurationSeries<RequestLabel> {
    let ofRoute = this.series.get(route);
    if (ofRoute === undefined) this.series.set(route, (ofRoute = new Map()));
    let ofStatus = ofRoute.get(status);
    if (ofStatus === undefined) ofRoute.set(status, (ofStatus = new Map()));
    let series = ofStatus.get(method);
    if (series === undefined) {
      series = this.requests.series({ method, route, status: String(status) });
      ofStatus.set(method, series);
    }
    return series;
  }

  /** Counts one login by the status of its answer. `aborted`: its client disconnected before the answer. */
  login(status: number, aborted: boolean): void {
    const outcome =
      status < 400 ? 'succeeded' : status >= 500 ? 'failed' : aborted ? 'aborted' : 'refused';
    this.logins.add(outcome);
  }

  /** Counts a refusal. Call it directly for requests that could not be parsed, or were refused under overload. */
  refusal(code: string): void {
    this.refusals.add(code);
  }

  /** The last refusals, the newest first. */
  get lastRefusals(): RefusalStatus[] {
    return this.refused.toReversed();
  }

  /** Returns what was counted since the start, for the status page. */
  async totals(): Promise<Pick<ProcessStatus, 'requests' | 'logins' | 'refusals'>> {
    const [requests, logins, refusals] = await Promise.all([
      this.requests.get(),
      this.logins.counter.get(),
      this.refusals.counter.get(),
    ]);
    const ended = requests.values.filter(({ metricName }) => metricName?.endsWith('_count'));
    const sum = (values: readonly { value: number }[]): number =>
      values.reduce((total, { value }) => total + value, 0);
    return {
      requests: {
        total: sum(ended),
        failed: sum(
          ended.filter(({ labels }) => 'status' in labels && String(labels.status).startsWith('5')),
        ),
      },
      logins: byLabel(logins.values, 'outcome'),
      refusals: byLabel(refusals.values, 'code'),
    };
  }

  /** All metrics in the Prometheus text format, and its content type. */
  async text(): Promise<MetricsText> {
    return { contentType: this.registry.contentType, body: await this.registry.metrics() };
  }

  /** All metrics, for the primary of a cluster, which adds up those of its workers. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.registry.getMetricsAsJSON();
  }
  private remember(
    requestId: string,
    method: string,
    route: string,
    status: number,
    code: string,
  ): void {
    const { refused } = this;
    if (refused.length === STATUS_LIMITS.refusals) refused.shift();
    refused.push({ at: epochSeconds(), code, status, method: known(method), route, requestId });
  }
}

/** Clients may write any method. Unknown ones count as `other`. */
const known = (method: string): string => (KNOWN_METHODS.has(method) ? method : 'other');

const byLabel = <Label extends string>(
  values: readonly { value: number; labels: Partial<Record<Label, string | number>> }[],
  label: Label,
): Record<string, number> =>
  Object.fromEntries(values.map(({ value, labels }) => [String(labels[label]), value]));
