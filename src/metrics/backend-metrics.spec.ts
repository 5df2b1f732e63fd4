import { Registry } from '@prometheus-io/client';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BackendOutcome, BackendStats, CallListener } from '../backend/index.js';
import { registerBackendMetrics } from './backend-metrics.js';

describe('registerBackendMetrics', () => {
  let stats: BackendStats;
  let call: CallListener;
  let registry: Registry;
  beforeEach(() => {
    stats = { state: 'closed', inFlight: 0, rejected: 0, retries: 0 };
    registry = new Registry();
    registerBackendMetrics(registry, {
      get stats() {
        return stats;
      },
      onCall: (listener) => (call = listener),
    });
  });
  const metric = (name: string): Promise<string> =>
    registry.getSingleMetricAsString(`signet_backend_${name}`);

  it.each([
    ['closed', 0],
    ['half-open', 1],
    ['open', 2],
  ] as const)('shows a breaker that is %s as %i', async (state, value) => {
    stats = { ...stats, state };
    expect(await metric('breaker_state')).toMatch(
      new RegExp(`^signet_backend_breaker_state ${value}$`, 'm'),
    );
  });

  it('shows at each scrape what is under way now, and the counts of the backend client', async () => {
    stats = { ...stats, inFlight: 3, rejected: 5, retries: 7 };
    expect(await metric('requests_in_flight')).toContain('\nsignet_backend_requests_in_flight 3');
    // Counted elsewhere: a second scrape must not add it again.
    for (let scrape = 0; scrape < 2; scrape++) {
      expect(await metric('rejected_total')).toContain('\nsignet_backend_rejected_total 5');
      expect(await metric('retries_total')).toContain('\nsignet_backend_retries_total 7');
    }
    stats = { ...stats, inFlight: 1, rejected: 6 };
    expect(await metric('requests_in_flight')).toContain('\nsignet_backend_requests_in_flight 1');
    expect(await metric('rejected_total')).toContain('\nsignet_backend_rejected_total 6');
  });

  it('sorts calls into buckets of seconds, by outcome', async () => {
    const calls: [BackendOutcome, number][] = [
      ['answered', 0.003],
      ['answered', 0.2],
      ['timeout', 10],
    ];
    for (const [outcome, seconds] of calls) call(outcome, seconds);
    const text = await metric('request_duration_seconds');
    const name = 'signet_backend_request_duration_seconds';
    expect(text).toContain(`# TYPE ${name} histogram`);
    expect(text).toContain(`${name}_bucket{le="0.0025",outcome="answered"} 0`);
    expect(text).toContain(`${name}_bucket{le="0.005",outcome="answered"} 1`);
    expect(text).toContain(`${name}_bucket{le="0.25",outcome="answered"} 2`);
    expect(text).toContain(`${name}_sum{outcome="answered"} 0.203`);
    expect(text).toContain(`${name}_bucket{le="5",outcome="timeout"} 0`);
    expect(text).toContain(`${name}_bucket{le="10",outcome="timeout"} 1`);
    expect(text).toContain(`${name}_count{outcome="timeout"} 1`);
  });
});
