import { Gauge, type Registry } from '@prometheus-io/client';
import type { Revocations } from '../state/index.js';

/** Registers the metrics of the state store, as this process sees it. */
export function registerStateMetrics(
  registry: Registry,
  revocations: Pick<Revocations, 'size' | 'skipped' | 'staleSeconds' | 'readOnly' | 'clockSkew'>,
): void {
  const registers = [registry];
  const size = new Gauge({
    name: 'signet_revocations',
    help: 'Revocations in force, as this process sees them.',
    aggregator: 'max',
    registers,
    collect: (): void => size.set(revocations.size),
  });
  const stale = new Gauge({
    name: 'signet_state_stale_seconds',
    help: 'Seconds since the state store was last seen; 0 while it answers.',
    aggregator: 'max',
    registers,
    collect: (): void => stale.set(revocations.staleSeconds),
  });
  const skew = new Gauge({
    name: 'signet_state_clock_skew_seconds',
    help: 'Seconds by which the clock of this machine differs from that of the state store, at least.',
    aggregator: 'max',
    registers,
    collect: (): void => skew.set(Math.abs(revocations.clockSkew)),
  });
  const writable = new Gauge({
    name: 'signet_state_writable',
    help: 'Zero while the state store answers questions but takes no writes: nothing can be refreshed or revoked.',
    aggregator: 'min',
    registers,
    collect: (): void => writable.set(revocations.readOnly === undefined ? 1 : 0),
  });
  const skipped = new Gauge({
    name: 'signet_revocations_skipped',
    help: 'Revocations of a newer version of Signet, which this one does not understand.',
    aggregator: 'max',
    registers,
    collect: (): void => skipped.set(revocations.skipped),
  });
}
