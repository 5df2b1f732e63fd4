import { Counter, Histogram, Registry } from '@prometheus-io/client';
import { describe, expect, it } from 'vitest';
import { CountsByLabel, DurationHistogram, DurationSeries } from './counted-series.js';

const BUCKETS = [0.001, 0.01, 0.1, 1];
const NAME = { name: 'a_seconds', help: 'Some duration.' };
const LABELS = [
  { method: 'GET', route: '/a' },
  { method: 'POST', route: '/"quoted"\\\n' },
];
/** Durations below, at and above each bound, and one that is far too long. */
const SECONDS = [0, ...BUCKETS.flatMap((bound) => [bound / 2, bound, bound * 1.5]), 1e9];

describe('DurationHistogram', () => {
  it.each([0, 1, 2])('is read as that of the client, with %i series', async (count) => {
    const [registry, expected] = [new Registry(), new Registry()];
    const histogram = new DurationHistogram<'method' | 'route'>({ ...NAME, registry }, BUCKETS);
    const client = new Histogram({
      ...NAME,
      labelNames: ['method', 'route'],
      buckets: BUCKETS,
      registers: [expected],
    });
    for (const labels of LABELS.slice(0, count)) {
      const series = histogram.series(labels);
      for (const seconds of SECONDS) {
        series.observe(seconds);
        client.observe(labels, seconds);
      }
    }
    expect(await registry.metrics()).toBe(await expected.metrics());
    const json = JSON.stringify(await registry.getMetricsAsJSON());
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(await expected.getMetricsAsJSON())));
    // A worker sends it, and the primary adds it up.
    const merged = Registry.aggregate([
      await registry.getMetricsAsJSON(),
      await expected.getMetricsAsJSON(),
    ]);
    const both = Registry.aggregate([
      await expected.getMetricsAsJSON(),
      await expected.getMetricsAsJSON(),
    ]);
    expect(await merged.metrics()).toBe(await both.metrics());
  });

  it('gives each reader values of its own', async () => {
    const registry = new Registry();
    const histogram = new DurationHistogram<'a'>({ ...NAME, registry }, BUCKETS);
    histogram.series({ a: 'b' }).observe(1);
    const before = await registry.metrics();
    for (const { labels } of (await histogram.get()).values) Object.assign(labels, { a: 'c' });
    expect(await registry.metrics()).toBe(before);
  });

  it('makes no key of labels at an observation', () => {
    const labels = new Proxy({ a: 'b' }, { get: () => expect.fail('the labels were looked at') });
    const series = new DurationSeries<'a'>(labels, BUCKETS);
    series.observe(0.5);
    expect([series.count, series.sum, series.inBucket]).toEqual([1, 0.5, [0, 0, 0, 1]]);
  });
});

it('CountsByLabel is read as a counter of the client, however often', async () => {
  const [registry, expected] = [new Registry(), new Registry()];
  const counts = new CountsByLabel({ ...NAME, registry }, 'code');
  const client = new Counter({ ...NAME, labelNames: ['code'], registers: [expected] });
  expect(await registry.metrics()).toBe(await expected.metrics());
  for (const [code, by] of [
    ['a', 0],
    ['b', 1],
    ['a', 2],
    ['__proto__', 1],
  ] as const) {
    counts.add(code, by);
    client.inc({ code }, by);
    for (let scrape = 0; scrape < 2; scrape++)
      expect(await registry.metrics()).toBe(await expected.metrics());
  }
});
