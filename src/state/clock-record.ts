import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { epochSeconds } from '../core/time/index.js';
import { LONGEST_WAIT } from './store-clock.js';

/**
 * Seconds by which the offset of the two clocks may change without a jump: they do not run alike, and are read one
 * after the other. Well below the default leeway.
 */
const TOLERANCE = 0.05;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Returns milliseconds of the monotonic clock, which all processes of the machine share and which cannot be set. */
export const steadyMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/**
 * Record of the wall clock of a machine, in seconds. It is needed to revoke all tokens that were issued "until now":
 * those that were issued before the clock was set back have a later time than the present one.
 */
export interface ClockRecord {
  /** Identifies the boot of the machine, at which its monotonic clock starts again. */
  readonly boot: string;
  /** Seconds by which the wall clock was ahead of the monotonic clock. */
  readonly offset: number;
  /** Time that the wall clock had reached before it was set back, in seconds since 1970; 0 if it never was. */
  readonly reached: number;
}

/** Reads the clocks. @returns the record as it is now; `known` itself if nothing has changed */
export function followClock(known: ClockRecord | undefined): ClockRecord {
  const boot = bootName();
  // The wall clock is read first: if the process pauses before the second read, the wall clock seems to have been
  // behind for a moment, which does no harm.
  const wall = epochSeconds();
  const steady = steadyMs() / 1000;
  const offset = wall - steady;
  if (known?.boot !== boot) return { boot, offset, reached: known?.reached ?? 0 };
  if (Math.abs(offset - known.offset) <= TOLERANCE) return known;
  const reached = offset < known.offset ? steady + known.offset + TOLERANCE : 0;
  return { boot, offset, reached: Math.max(reached, isInForce(known, wall) ? known.reached : 0) };
}

/**
 * Returns the latest time that a token of this machine can have been issued at, in seconds since 1970.
 *
 * @param record the current record, see {@link followClock}
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
