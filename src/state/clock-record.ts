import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { epochSeconds } from '../core/time/index.js';
import { LONGEST_WAIT } from './store-clock.js';

/** Seconds by which the two clocks may differ from what was noted of them: they run and are read apart. Below any leeway. */
const TOLERANCE = 0.05;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Milliseconds of a clock that all threads and processes of the machine share and nobody sets. */
export const steadyMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/**
 * How the wall clock of a machine has gone, in seconds. Whoever decides what "until now" means needs it: what was
 * issued before the clock was set back has a later time than the present one.
 */
export interface ClockRecord {
  /** Names the monotonic clock, which begins anew with the machine. */
  readonly boot: string;
  /** What the wall clock was ahead of the monotonic one. */
  readonly offset: number;
  /** Since 1970: what the wall clock had reached before it was set back; 0: it never was. */
  readonly reached: number;
}

/** @returns the record as it is now; `known` itself where there is nothing new */
export function followClock(known: ClockRecord | undefined): ClockRecord {
  const boot = bootName();
  // In this order: a pause in between looks as if the clock had been behind for a moment, which does no harm.
  const wall = epochSeconds();
  const steady = steadyMs() / 1000;
  const offset = wall - steady;
  if (known?.boot !== boot) return { boot, offset, reached: known?.reached ?? 0 };
  if (Math.abs(offset - known.offset) <= TOLERANCE) return known;
  const reached = offset < known.offset ? steady + known.offset + TOLERANCE : 0;
  return { boot, offset, reached: Math.max(reached, isInForce(known, wall) ? known.reached : 0) };
}

/**
 * Seconds since 1970 which no token of this machine is from beyond.
 *
 * @param record as {@link followClock} has it now
 */
export function latestTime(record: ClockRecord): number {
  const wall = epochSeconds();
  return Math.max(wall, isInForce(record, wall) ? record.reached : 0);
}

const isInForce = ({ reached }: ClockRecord, wall: number): boolean =>
  reached - wall <= LONGEST_WAIT;

let boot: string | undefined;
function bootName(): string {
  if (boot === undefined)
    try {
      boot = readFileSync(BOOT_ID, 'utf8').trim();
    } catch {
      boot = hostname();
    }
  return boot;
}
