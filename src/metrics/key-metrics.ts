import { Gauge, type Registry } from '@prometheus-io/client';
import type { JwkKeyStore } from '../jwks/index.js';

/** How old the keys are that are in use, and how many are skipped, by source. */
export function registerKeyMetrics(
  registry: Registry,
  keys: Pick<JwkKeyStore, 'ageSeconds' | 'staleSeconds' | 'skippedCounts'>,
): void {
  const registers = [registry];
  const stale = new Gauge({
    name: 'signet_keyset_stale_seconds',
    help: 'Seconds since a key source stopped giving a usable set; 0 while it does.',
    labelNames: ['source'],
    aggregator: 'max',
    registers,
    collect: () => {
      // Sets of tenants come and go.
      stale.reset();
      for (const { source, seconds } of keys.staleSeconds()) stale.set({ source }, seconds);
    },
  });
  const age = new Gauge({
    name: 'signet_keyset_age_seconds',
    help: 'Seconds since the set of keys in use was loaded from its source.',
    labelNames: ['source'],
    aggregator: 'max',
    registers,
    collect: () => {
      age.reset();
      for (const { source, seconds } of keys.ageSeconds()) age.set({ source }, seconds);
    },
  });
  const skipped = new Gauge({
    name: 'signet_keyset_skipped_keys',
    help: 'Keys of a set that cannot be used and are skipped, by source.',
    labelNames: ['source'],
    aggregator: 'max',
    registers,
    collect: () => {
      skipped.reset();
      for (const { source, skipped: count } of keys.skippedCounts()) skipped.set({ source }, count);
    },
  });
}
