import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { BackendClient } from '../backend/index.js';
import { DurationHistogram, type DurationSeries } from './counted-series.js';

/** Buckets in seconds, up to the usual timeouts of backend calls. */
const BUCKETS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Registers the metrics of backend calls. */
export function registerBackendMetrics(
  registry: Registry,
  backend: Pick<BackendClient, 'onCall' | 'stats'>,
): void {
  const registers = [registry];
  const duration = new DurationHistogram<'outcome'>(
    {
      name: 'signet_backend_request_duration_seconds',
      help: 'Duration of backend calls by outcome: answered, refused (4xx), failed (5xx), bad_response, unavailable, timeout, other.',
      registry,
    },
    BUCKETS,
  );
  const byOutcome = new Map<string, DurationSeries<'outcome'>>();
  backend.onCall((outcome, seconds) => {
    let series = byOutcome.get(outcome);
    if (series === undefined) byOutcome.set(outcome, (series = duration.series({ outcome })));
    series.observe(seconds);
  });
  const state = new Gauge({
    name: 'signet_backend_breaker_state',
    help: 'Circuit breaker of the backend: 0 closed, 1 half-open, 2 open; the worst worker.',
    aggregator: 'max',
    registers,
    collect: (): void => state.set(STATES[backend.stats.state]),
  });
  const inFlight = new Gauge({
    name: 'signet_backend_requests_in_flight',
    help: 'Backend calls under way, those included that wait for a connection.',
    registers,
    collect: (): void => inFlight.set(backend.stats.inFlight),
  });
  const rejected = new Counter({
    name: 'signet_backend_rejected_total',
    help: 'Backend calls that were not made: the circuit was open, or too many were under way.',
    registers,
    collect: (): void => setTo(rejected, backend.stats.rejected),
  });
  const retries = new Counter({
    name: 'signet_backend_retries_total',
    help: 'Backend calls sent a second time because their connection died.',
    registers,
    collect: (): void => setTo(retries, backend.stats.retries),
  });
}

/** Sets a counter to a value that is counted elsewhere. */
export function setTo(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
