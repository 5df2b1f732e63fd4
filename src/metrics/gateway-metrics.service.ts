import { Inject, Injectable, Optional } from '@nestjs/common';
import { Counter, Histogram, Registry } from '@prometheus-io/client';
import type { BackendClient } from '../backend/index.js';
import { BACKEND_CLIENT, KNOWN_METHODS, type RequestListener } from '../http/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import type { MetricsSnapshot, MetricsText } from '../management/index.js';
import { SigningEvents } from '../signing/index.js';
import { Revocations } from '../state/index.js';
import { registerBackendMetrics, setTo } from './backend-metrics.js';
import { registerIntrospectionMetrics } from './introspection-metrics.js';
import { registerKeyMetrics } from './key-metrics.js';
import { registerProcessMetrics } from './process-metrics.js';
import { registerSigningMetrics } from './signing-metrics.js';
import { registerStateMetrics } from './state-metrics.js';

/** Seconds; a request that signs or verifies takes a few milliseconds, a slow backend seconds. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What the gateway counts, as Prometheus metrics. */
@Injectable()
export class GatewayMetrics {
  private readonly registry = new Registry();
  private readonly requests: Histogram<'method' | 'route' | 'status'>;
  private readonly refusals: Counter<'code'>;
  private readonly logins: Counter<'outcome'>;

  constructor(
    keys: JwkKeyStore,
    revocations: Revocations,
    signing: SigningEvents,
    endpoints: IntrospectionEndpoints,
    @Optional() @Inject(BACKEND_CLIENT) backend?: BackendClient,
  ) {
    const registers = [this.registry];
    registerProcessMetrics(this.registry);
    this.requests = new Histogram({
      name: 'signet_http_request_duration_seconds',
      help: 'Duration of requests by method, route pattern and status.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.refusals = new Counter({
      name: 'signet_refusals_total',
      help: 'Requests refused or failed, by error code.',
      labelNames: ['code'],
      registers,
    });
    this.logins = new Counter({
      name: 'signet_logins_total',
      help: 'Logins by outcome: succeeded, refused (4xx: mostly wrong passwords), failed (5xx), aborted by the client.',
      labelNames: ['outcome'],
      registers,
    });
    // A rate needs to have seen 0.
    for (const outcome of ['succeeded', 'refused', 'failed', 'aborted'])
      this.logins.inc({ outcome }, 0);
    registerKeyMetrics(this.registry, keys);
    registerIntrospectionMetrics(this.registry, endpoints);
    registerStateMetrics(this.registry, revocations);
    if (backend !== undefined) registerBackendMetrics(this.registry, backend);
    registerSigningMetrics(this.registry, signing);
  }

  /** @param dropped lines of the log, so far */
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
    method,
    route,
    status,
    milliseconds,
    refusal,
    login,
    aborted,
  }) => {
    this.request(method, route, status, milliseconds / 1000, refusal?.code);
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
    const known = KNOWN_METHODS.has(method) ? method : 'other';
    this.requests.observe({ method: known, route, status: String(status) }, seconds);
    if (code !== undefined) this.refusal(code);
  }

  /** Counts one login by the status of its answer; the client of an aborted one was gone before. */
  login(status: number, aborted: boolean): void {
    const outcome =
      status < 400 ? 'succeeded' : status >= 500 ? 'failed' : aborted ? 'aborted' : 'refused';
    this.logins.inc({ outcome });
  }

  /** Counts what was refused before it was parsed as a request, or unread under overload. */
  refusal(code: string): void {
    this.refusals.inc({ code });
  }

  /** All metrics in the Prometheus text format, and its content type. */
  async text(): Promise<MetricsText> {
    return { contentType: this.registry.contentType, body: await this.registry.metrics() };
  }

  /** All metrics, for the primary of a cluster, which adds up those of its workers. */
  snapshot(): Promise<MetricsSnapshot> {
    return this.registry.getMetricsAsJSON();
  }
}
