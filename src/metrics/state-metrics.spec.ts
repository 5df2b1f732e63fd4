import { Registry } from '@prometheus-io/client';
import { expect, it } from 'vitest';
import { registerStateMetrics } from './state-metrics.js';

it('shows the revocations and what the store does, as they are at the scrape', async () => {
  const registry = new Registry();
  const revocations = {
    size: 0,
    skipped: 0,
    staleSeconds: 0,
    readOnly: undefined,
    clockSkew: 0,
  };
  registerStateMetrics(registry, revocations);
  const values = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('signet'));
  expect(await values()).toEqual([
    'signet_revocations 0',
    'signet_state_stale_seconds 0',
    'signet_state_clock_skew_seconds 0',
    'signet_state_writable 1',
    'signet_revocations_skipped 0',
  ]);
  Object.assign(revocations, {
    size: 41,
    skipped: 3,
    staleSeconds: 2.5,
    readOnly: 'full',
    clockSkew: -1.5,
  });
  expect(await values()).toEqual([
    'signet_revocations 41',
    'signet_state_stale_seconds 2.5',
    'signet_state_clock_skew_seconds 1.5',
    'signet_state_writable 0',
    'signet_revocations_skipped 3',
  ]);
});
