import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from './helpers/gateway.js';
import { call, callWith } from './helpers/http.js';
import { parseMetrics, type Exposition } from './helpers/prometheus.js';

// A cluster exposes what a single process does, and what only its primary knows.
let cluster: Gateway;
const scrape = async (): Promise<Exposition> => parseMetrics(await cluster.metrics());

beforeAll(async () => {
  cluster = await startGateway({ WORKERS: '2' });
  const { url } = cluster;
  const { json } = await call(`${url}/token`, { method: 'POST' });
  await callWith(`${url}/private/custom`, String(json.access_token));
  await call(`${url}/private/custom`);
});
afterAll(() => cluster?.stop());

describe('ops/grafana-dashboard.json', () => {
  const dashboard = JSON.parse(readFileSync('ops/grafana-dashboard.json', 'utf8')) as {
    panels: { id: number; title: string; targets?: { expr: string }[] }[];
    templating: { list: { query: string | { query: string } }[] };
  };
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? '' : query.query)),
  ];
  const used = (query: string): string[] => query.match(/\b(?:signet|process|nodejs)_\w+/g) ?? [];

  it('names only what /metrics exposes, by labels that are there', async () => {
    const { samples } = await scrape();
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

  it('shows everything of ours', async () => {
    const { types } = await scrape();
    const shown = new Set(
      queries.flatMap(used).map((name) => name.replace(/_(?:count|bucket)$/, '')),
    );
    const ours = new Set([...types.keys()].filter((name) => name.startsWith('signet_')));
    expect([...ours.difference(shown)]).toEqual([]);
  });

  it('has panels of its own ids and balanced queries', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const query of queries)
      expect([query, query.split('(').length]).toEqual([query, query.split(')').length]);
  });
});
