import { Gauge, type Registry } from '@prometheus-io/client';
import { KEY_STATES, scheduledStep, type ScheduledStep } from '../core/keys/index.js';
import { epochSeconds } from '../core/time/index.js';
import type { JwkKeyStore, KeyReport, KeySetReport } from '../jwks/index.js';

/** State of a plain JWK in the metrics: it has no state of its own. */
const PLAIN = 'plain';

/**
 * Registers the metrics of keys: age and skipped keys by source, the states of the signing keys, and when the next step
 * of their rotation is due.
 */
export function registerKeyMetrics(
  registry: Registry,
  keys: Pick<JwkKeyStore, 'ageSeconds' | 'staleSeconds' | 'skippedCounts' | 'reports'>,
): void {
  const registers = [registry];
  const stale = new Gauge({
    name: 'signet_keyset_stale_seconds',
    help: 'Seconds since a key source stopped giving a usable set; 0 while it does.',
    labelNames: ['source'],
    aggregator: 'max',
    registers,
    collect: () => {
      // Key sets of tenants come and go.
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
  const states = new Gauge({
    name: 'signet_signing_keys',
    help: 'Keys of the set that signs, by algorithm and state: pending, active, verifying, retired; plain without one.',
    labelNames: ['alg', 'state'],
    aggregator: 'max',
    registers,
    collect: () => {
      states.reset();
      for (const [alg, those] of signingKeys(keys.reports()))
        for (const name of [...KEY_STATES, PLAIN])
          states.set(
            { alg, state: name },
            those.filter(({ state = PLAIN }) => state === name).length,
          );
    },
  });
  const nextStep = new Gauge({
    name: 'signet_key_rotation_next_step_seconds',
    help: 'Seconds until the next step of a rotation of signing keys is due, by algorithm; negative: overdue.',
    labelNames: ['alg', 'step'],
    aggregator: 'min',
    registers,
    collect: () => {
      nextStep.reset();
      const now = epochSeconds();
      for (const { alg, kind, at } of rotationSteps(keys.reports(), now))
        nextStep.set({ alg, step: kind }, at - now);
    },
  });
}

/**
 * Returns the next step of each rotation that is under way.
 *
 * @param now seconds since 1970
 */
export const rotationSteps = (
  reports: readonly KeySetReport[],
  now: number,
): (ScheduledStep & { alg: string })[] =>
  [...signingKeys(reports)].flatMap(([alg, keys]) => {
    const step = scheduledStep(keys, now);
    return step === undefined ? [] : [{ ...step, alg }];
  });

/** Groups the signing keys by algorithm, since keys of one algorithm replace each other. */
const signingKeys = (reports: readonly KeySetReport[]): Map<string, KeyReport[]> =>
  Map.groupBy(
    reports.flatMap(({ signs, keys }) => (signs ? keys : [])),
    ({ alg }) => alg,
  );
