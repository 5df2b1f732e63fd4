import { Test } from '@nestjs/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseMetrics, type Sample } from '../../test/helpers/telemetry/prometheus.js';
import { BACKEND_CLIENT } from '../http/index.js';
import { IntrospectionEndpoints, JwkKeyStore } from '../jwks/index.js';
import { SigningEvents } from '../signing/index.js';
import { Revocations } from '../state/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';

describe('GatewayMetrics', () => {
  let metrics: GatewayMetrics;
  beforeEach(async () => {
    const testing = await Test.createTestingModule({
      providers: [
        GatewayMetrics,
        SigningEvents,
        {
          provide: JwkKeyStore,
          useValue: {
            ageSeconds: () => [],
            staleSeconds: () => [],
            skippedCounts: () => [],
            reports: () => [],
          },
        },
        { provide: IntrospectionEndpoints, useValue: { onCall: () => undefined } },
        { provide: Revocations, useValue: { size: 2, skipped: 0, staleSeconds: 0, clockSkew: 0 } },
        {
          provide: BACKEND_CLIENT,
          useValue: {
            onCall: () => undefined,
            stats: { state: 'closed', inFlight: 0, rejected: 0, retries: 0 },
          },
        },
      ],
    }).compile();
    metrics = testing.get(GatewayMetrics);
  });
  const samplesOf = async (name: string): Promise<Pick<Sample, 'labels' | 'value'>[]> =>
    parseMetrics((await metrics.text()).body)
      .samples.filter((sample) => sample.name === name)
      .map(({ labels, value }) => ({ labels, value }));

  it('is read as Prometheus text, with what each part knows', async () => {
    const { contentType, body } = await metrics.text();
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const { types } = parseMetrics(body);
    expect(Object.fromEntries([...types].filter(([name]) => name.startsWith('signet_')))).toEqual({
      signet_event_loop_delay_seconds: 'gauge',
      signet_build_info: 'gauge',
      signet_http_request_duration_seconds: 'histogram',
      signet_refusals_total: 'counter',
      signet_logins_total: 'counter',
      signet_keyset_skipped_keys: 'gauge',
      signet_keyset_stale_seconds: 'gauge',
      signet_keyset_age_seconds: 'gauge',
      signet_signing_keys: 'gauge',
      signet_key_rotation_next_step_seconds: 'gauge',
      signet_introspections_total: 'counter',
      signet_revocations: 'gauge',
      signet_state_stale_seconds: 'gauge',
      signet_state_clock_skew_seconds: 'gauge',
      signet_state_writable: 'gauge',
      signet_revocations_skipped: 'gauge',
      signet_backend_request_duration_seconds: 'histogram',
      signet_backend_breaker_state: 'gauge',
      signet_backend_requests_in_flight: 'gauge',
      signet_backend_rejected_total: 'counter',
      signet_backend_retries_total: 'counter',
      signet_tokens_signed_total: 'counter',
    });
    expect(await samplesOf('signet_revocations')).toEqual([{ labels: {}, value: 2 }]);
  });

  it('counts requests by method, route and status, and refusals by code', async () => {
    metrics.request('GET', '/private/custom', 200, 0.004, undefined);
    metrics.request('GET', '/private/custom', 401, 0.001, 'token_missing');
    metrics.request('GET', '/private/custom', 401, 0.002, 'token_missing');
    metrics.refusal('overloaded');
    const route = { method: 'GET', route: '/private/custom' };
    expect(await samplesOf('signet_http_request_duration_seconds_count')).toEqual([
      { labels: { ...route, status: '200' }, value: 1 },
      { labels: { ...route, status: '401' }, value: 2 },
    ]);
    expect(await samplesOf('signet_http_request_duration_seconds_sum')).toEqual([
      { labels: { ...route, status: '200' }, value: 0.004 },
      { labels: { ...route, status: '401' }, value: 0.003 },
    ]);
    expect(await samplesOf('signet_refusals_total')).toEqual([
      { labels: { code: 'token_missing' }, value: 2 },
      { labels: { code: 'overloaded' }, value: 1 },
    ]);
  });

  it('tells what was counted, and the last refusals, the newest first', async () => {
    const finished = (id: number, status: number, code?: string): void =>
      metrics.finished({
        request: {} as never,
        id: `r${id}`,
        method: id === 30 ? 'PROPFIND' : 'GET',
        route: '/private/custom',
        status,
        milliseconds: 1,
        refusal: code === undefined ? undefined : { code },
        login: id === 1,
        aborted: false,
      });
    for (let id = 1; id <= 28; id++) finished(id, 401, 'token_missing');
    finished(29, 502, 'backend_unavailable');
    finished(30, 403, 'roles_missing');
    finished(31, 200);
    expect(await metrics.totals()).toEqual({
      requests: { total: 31, failed: 1 },
      logins: { succeeded: 0, refused: 1, failed: 0, aborted: 0 },
      refusals: { token_missing: 28, backend_unavailable: 1, roles_missing: 1 },
    });
    const last = metrics.lastRefusals;
    expect(last.map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: 20 }, (_, index) => `r${30 - index}`),
    );
    expect(last[0]).toMatchObject({
      code: 'roles_missing',
      status: 403,
      method: 'other',
      route: '/private/custom',
    });
    expect(Math.abs((last[0]?.at ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('has one series for all methods that are none of a gateway', async () => {
    for (const method of ['PROPFIND', 'LOCK', 'get', '__proto__'])
      metrics.request(method, '(none)', 404, 0.001, undefined);
    expect(await samplesOf('signet_http_request_duration_seconds_count')).toEqual([
      { labels: { method: 'other', route: '(none)', status: '404' }, value: 4 },
    ]);
  });

  it.each([
    ['succeeded', 200, false],
    // The answer was ready; that its client did not stay for it changes nothing about the login.
    ['succeeded', 200, true],
    ['refused', 401, false],
    ['failed', 502, false],
    ['failed', 504, true],
    ['aborted', 499, true],
  ])('counts a login as %s: status %i, client gone: %s', async (outcome, status, aborted) => {
    metrics.login(status, aborted);
    const expected = ['succeeded', 'refused', 'failed', 'aborted'].map((name) => ({
      labels: { outcome: name },
      value: name === outcome ? 1 : 0,
    }));
    // Outcomes that did not happen are there as 0: a rate needs to have seen it.
    expect(await samplesOf('signet_logins_total')).toEqual(expected);
  });

  it('asks the log at each scrape how many lines it dropped', async () => {
    let dropped = 0;
    metrics.countDroppedLines(() => dropped);
    const name = 'signet_log_lines_dropped_total';
    expect(await samplesOf(name)).toEqual([{ labels: {}, value: 0 }]);
    dropped = 3;
    expect(await samplesOf(name)).toEqual([{ labels: {}, value: 3 }]);
    expect(await samplesOf(name)).toEqual([{ labels: {}, value: 3 }]);
  });

  it('gives a snapshot that another process can add up', async () => {
    metrics.login(200, false);
    const snapshot = await metrics.snapshot();
    expect(
      structuredClone(snapshot).find(({ name }) => name === 'signet_logins_total'),
    ).toMatchObject({
      type: 'counter',
      aggregator: 'sum',
      values: [{ labels: { outcome: 'succeeded' }, value: 1 }, {}, {}, {}],
    });
  });
});
