import { Registry } from '@prometheus-io/client';
import { expect, it } from 'vitest';
import { registerKeyMetrics } from './key-metrics.js';

it('shows age, staleness and skipped keys of each key source, as they are at the scrape', async () => {
  const registry = new Registry();
  let stale = 0;
  registerKeyMetrics(registry, {
    skippedCounts: () => [{ source: 'keys.json', skipped: 2 }],
    ageSeconds: () => [{ source: 'keys.json', seconds: 12.5 }],
    staleSeconds: () => [
      { source: 'keys.json', seconds: 0 },
      { source: 'https://issuer.example/jwks.json', seconds: stale },
    ],
  });
  const age = await registry.getSingleMetricAsString('signet_keyset_age_seconds');
  expect(age).toContain('\nsignet_keyset_age_seconds{source="keys.json"} 12.5');
  stale = 90;
  const text = await registry.getSingleMetricAsString('signet_keyset_stale_seconds');
  expect(text).toContain('\nsignet_keyset_stale_seconds{source="keys.json"} 0');
  expect(text).toContain(
    '\nsignet_keyset_stale_seconds{source="https://issuer.example/jwks.json"} 90',
  );
  expect(await registry.getSingleMetricAsString('signet_keyset_skipped_keys')).toContain(
    '\nsignet_keyset_skipped_keys{source="keys.json"} 2',
  );
  // A set that has not arrived has no age.
  expect(age).not.toContain('issuer.example');
});

it('forgets sources that are closed', async () => {
  const registry = new Registry();
  let sources = ['https://a', 'https://b'];
  registerKeyMetrics(registry, {
    skippedCounts: () => sources.map((source) => ({ source, skipped: 1 })),
    ageSeconds: () => sources.map((source) => ({ source, seconds: 1 })),
    staleSeconds: () => sources.map((source) => ({ source, seconds: 1 })),
  });
  expect((await registry.metrics()).match(/source="https:\/\/a"/g)).toHaveLength(3);
  sources = ['https://b'];
  const text = await registry.metrics();
  expect(text).not.toContain('https://a');
  expect(text.match(/source="https:\/\/b"/g)).toHaveLength(3);
});
