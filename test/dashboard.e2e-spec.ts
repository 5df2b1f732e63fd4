import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startGateway, type Gateway } from './helpers/gateway/gateway.js';
import { call, callWith } from './helpers/network/http.js';
import { generateJwk, writeKeys } from './helpers/issuers/keys.js';
import { withoutPromtool } from './helpers/run/programs.js';
import { parseMetrics, type Exposition } from './helpers/telemetry/prometheus.js';
import { evaluate, seriesName, seriesOf } from './helpers/telemetry/promtool.js';

// A cluster exposes what a single process does, and what only its primary knows.
let cluster: Gateway;
/** Figures of a gateway that nobody has asked for anything yet, and of one that had requests. */
let quiet: Exposition;
let busy: Exposition;
const used = (query: string): string[] => query.match(/\b(?:signet|process|nodejs)_\w+/g) ?? [];

beforeAll(async () => {
  // The key has a date, so that a rotation is under way.
  const key = await generateJwk('HS256', 'k1');
  const signet = { state: 'verifying', not_after: Date.now() / 1000 + 86_400 };
  cluster = await startGateway({
    WORKERS: '2',
    SIGNER_JWK_LOCAL_PATH: writeKeys([key, { ...(await generateJwk('HS256', 'k0')), signet }]),
    SIGNER_KID: 'k1',
  });
  const { url } = cluster;
  quiet = parseMetrics(await cluster.metrics());
  const { json } = await call(`${url}/token`, { method: 'POST' });
  await callWith(`${url}/private/custom`, String(json.access_token));
  await call(`${url}/private/custom`);
  busy = parseMetrics(await cluster.metrics());
});
afterAll(() => cluster?.stop());

describe('ops/grafana-dashboard.json', () => {
  const dashboard = JSON.parse(readFileSync('ops/grafana-dashboard.json', 'utf8')) as {
    panels: {
      id: number;
      type: string;
      title: string;
      targets?: { expr: string }[];
      fieldConfig?: { defaults: { noValue?: string } };
    }[];
    templating: { list: { query: string | { query: string } }[] };
  };
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? '' : query.query)),
  ];

  it('names only what /metrics exposes, by labels that are there', () => {
    const { samples } = busy;
    const exposed = new Set(samples.map(({ name }) => name));
    const names = new Set(queries.flatMap(used));
    expect(names.size).toBeGreaterThan(15);
    expect([...names.difference(exposed)]).toEqual([]);
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    const grouped = queries.flatMap((query) =>
      [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
    );
    // Prometheus itself adds these.
    const known = labels.union(new Set(['instance', 'job']));
    expect([...new Set(grouped).difference(known)]).toEqual([]);
  });

  it('shows everything of ours', () => {
    const { types } = busy;
    const shown = new Set(
      queries.flatMap(used).map((name) => name.replace(/_(?:count|bucket)$/, '')),
    );
    const ours = new Set([...types.keys()].filter((name) => name.startsWith('signet_')));
    expect([...ours.difference(shown)]).toEqual([]);
  });

  it.skipIf(withoutPromtool)(
    'has data in each panel while the gateway is healthy, busy or quiet',
    () => {
      const filled = dashboard.panels
        .filter(({ fieldConfig }) => fieldConfig?.defaults.noValue === undefined)
        .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
      expect(filled.length).toBeGreaterThan(30);
      // What is no number equals nothing, not even itself.
      const holds = filled
        .map((expr) =>
          expr.replaceAll(/\$(?:job|instance)\b/g, '.*').replaceAll('$__rate_interval', '5m'),
        )
        .map((expr) => `((${expr}) == (${expr}))`);
      expect(
        evaluate('ops/alerts.yaml', [
          { name: 'busy', series: seriesOf(busy), holds },
          { name: 'quiet', series: seriesOf(quiet), holds },
        ]),
      ).toBe('');
    },
  );

  it('is grouped by what an operator asks', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row');
    expect(rows.length).toBeGreaterThan(5);
    for (const { title } of rows) expect(title).toMatch(/^[A-Z].*\?$/);
    const groupOf = (panel: string): string | undefined =>
      dashboard.panels
        .slice(
          0,
          dashboard.panels.findIndex(({ title }) => title === panel),
        )
        .findLast(({ type }) => type === 'row')?.title;
    expect(groupOf('Logins by outcome')).toBe('Who gets in, and who does not?');
    expect(groupOf('5xx share')).toBe('Is it well?');
    expect(groupOf('Signing keys by state')).toBe('Are the keys in order?');
  });

  it('has panels of its own ids and balanced queries', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const query of queries)
      expect([query, query.split('(').length]).toEqual([query, query.split(')').length]);
  });
});

/** A rule of the file. */
interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; action: string };
}

describe('ops/alerts.yaml', () => {
  const FILE = 'ops/alerts.yaml';
  const { groups } = parse(readFileSync(FILE, 'utf8')) as { groups: { rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  it('names only what /metrics exposes', () => {
    const exposed = new Set(busy.samples.map(({ name }) => name));
    const names = new Set(rules.flatMap(({ expr }) => used(expr)));
    expect(names.size).toBeGreaterThan(10);
    expect([...names.difference(exposed)]).toEqual([]);
  });

  it('names codes and outcomes that there are', () => {
    const codes = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/code="(\w+)"/g)].map(([, code]) => code),
    );
    expect(codes.length).toBeGreaterThan(1);
    const manual = readFileSync('docs/routes-and-errors.md', 'utf8');
    for (const code of codes) expect(manual).toContain(`\`${code}\``);
    const outcomes = busy.samples.filter(({ name }) => name === 'signet_logins_total');
    expect(outcomes.map(({ labels }) => labels.outcome)).toContain('refused');
  });

  it('says of each what is the matter, what to do, and when', () => {
    for (const { alert, labels, annotations } of rules) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(?:page|ticket)$/)]);
      for (const text of [annotations.summary, annotations.action])
        expect([alert, text]).toEqual([alert, expect.stringMatching(/^.{15,}$/)]);
    }
  });

  const metric = (
    name: string,
    labels: Record<string, string>,
    values: string,
  ): [string, string] => [seriesName(`signet_${name}`, labels), values];
  const source = { source: 'https://id.example' };
  const count = 'http_request_duration_seconds_count';
  const token = { method: 'POST', route: '/token' };
  const rotation = { alg: 'ES256', step: 'activate' };
  /** Of each rule: figures of a gateway that it is about, and of one that it is not about yet. */
  const CASES: [alert: string, sick: [string, string][], well: [string, string][]][] = [
    [
      'SignetGone',
      // All of its series end.
      [],
      [],
    ],
    [
      'SignetFails',
      [
        metric(count, { ...token, status: '502' }, '0+100x180'),
        metric(count, { ...token, status: '200' }, '0+1000x180'),
      ],
      [
        metric(count, { ...token, status: '502' }, '0+40x180'),
        metric(count, { ...token, status: '200' }, '0+1000x180'),
        metric(count, { method: 'GET', route: '/health/ready', status: '503' }, '0+1000x180'),
      ],
    ],
    [
      'SignetBackendAway',
      [metric('backend_breaker_state', {}, '2+0x180')],
      [metric('backend_breaker_state', {}, '0+0x178 2 2')],
    ],
    [
      'SignetStateAway',
      [metric('state_stale_seconds', {}, '0+0x179 12')],
      [metric('state_stale_seconds', {}, '2+0x180')],
    ],
    [
      'SignetStateReadOnly',
      [metric('state_writable', {}, '0+0x180')],
      [metric('state_writable', {}, '1+0x180')],
    ],
    [
      'SignetNoSigningKey',
      ['active', 'plain'].map((state) =>
        metric('signing_keys', { alg: 'HS256', state }, '0+0x180'),
      ),
      [metric('signing_keys', { alg: 'RS256', state: 'active' }, '0+0x180')],
    ],
    [
      'SignetKeysAway',
      [metric('keyset_stale_seconds', source, '0+600x180')],
      [metric('keyset_stale_seconds', source, '7200+0x180')],
    ],
    [
      'SignetOverloaded',
      [metric('refusals_total', { code: 'overloaded' }, '0+60x180')],
      [metric('refusals_total', { code: 'rate_limited' }, '0+60x180')],
    ],
    [
      'SignetWorkersDie',
      [metric('worker_restarts_total', {}, '0+1x180')],
      [metric('worker_restarts_total', {}, '0+0x175 1 1 1 2 2')],
    ],
    [
      'SignetClockDiffers',
      [metric('state_clock_skew_seconds', {}, '6+0x180')],
      [metric('state_clock_skew_seconds', {}, '2+0x180')],
    ],
    [
      'SignetKeySetAway',
      [metric('keyset_stale_seconds', source, '700+0x180')],
      [metric('keyset_stale_seconds', source, '60+0x180')],
    ],
    [
      'SignetKeysSkipped',
      [metric('keyset_skipped_keys', source, '1+0x180')],
      [metric('keyset_skipped_keys', source, '0+0x150 1+0x30')],
    ],
    [
      'SignetRotationOverdue',
      [metric('key_rotation_next_step_seconds', rotation, '0-60x180')],
      [metric('key_rotation_next_step_seconds', rotation, '3600-60x180')],
    ],
    [
      'SignetRefreshReuse',
      [metric('refusals_total', { code: 'refresh_token_reused' }, '0+1x180')],
      [metric('refusals_total', { code: 'refresh_token_reused' }, '0+0x170 1+1x10')],
    ],
    [
      'SignetPasswordsGuessed',
      [
        metric('logins_total', { outcome: 'refused' }, '0+600x180'),
        metric('logins_total', { outcome: 'succeeded' }, '0+500x180'),
      ],
      [
        metric('logins_total', { outcome: 'refused' }, '0+400x180'),
        metric('logins_total', { outcome: 'succeeded' }, '0+500x180'),
      ],
    ],
    [
      'SignetSlow',
      [metric('event_loop_delay_seconds', {}, '1+0x180')],
      [metric('event_loop_delay_seconds', {}, '0+0x175 1+0x5')],
    ],
    [
      'SignetLogLost',
      [metric('log_lines_dropped_total', {}, '0+5x180')],
      [metric('log_lines_dropped_total', {}, '7+0x180')],
    ],
    [
      'SignetVersionsDiffer',
      [metric('revocations_skipped', {}, '3+0x180')],
      [metric('revocations_skipped', {}, '0+0x150 3+0x30')],
    ],
  ];

  it('has figures here for each rule', () => {
    expect(CASES.map(([alert]) => alert)).toEqual(rules.map(({ alert }) => alert));
  });

  it.skipIf(withoutPromtool)(
    'is silent for a healthy gateway, busy or quiet, and calls where it should',
    () => {
      const firing = (alert: string): string => `ALERTS{alertname="${alert}",alertstate="firing"}`;
      const none = (alerts: string): string => `(vector(1) unless on() ${alerts})`;
      const healthy = seriesOf(busy);
      const gone = new Map([['up{job="signet"}', '0+0x180']]);
      expect(
        evaluate(FILE, [
          { name: 'busy', series: healthy, holds: [none('ALERTS')] },
          { name: 'quiet', series: seriesOf(quiet), holds: [none('ALERTS')] },
          ...CASES.flatMap(([alert, sick, well]) => [
            {
              name: alert,
              series: sick.length === 0 ? gone : new Map([...healthy, ...sick]),
              holds: [firing(alert)],
            },
            {
              name: `no ${alert}`,
              series: new Map([...healthy, ...well]),
              holds: [none(firing(alert))],
            },
          ]),
        ]),
      ).toBe('');
    },
  );
});
