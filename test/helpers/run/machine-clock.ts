import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './resources.js';

/** The wall clock of several processes, and of their threads. */
export interface MachineClock {
  /** Seconds by which it is ahead. */
  set(seconds: number): void;
  /** So many seconds, a whole number, go by at once, on the monotonic clock, too, as for a machine that slept. */
  pass(seconds: number): void;
  /** For `preload`. */
  readonly code: string;
}
export function machineClock(): MachineClock {
  const file = join(tempFolder('clock'), 'ahead');
  let ahead = 0;
  let passed = 0;
  const write = (): void => {
    writeFileSync(`${file}.new`, JSON.stringify([ahead, passed]));
    renameSync(`${file}.new`, file);
  };
  write();
  return {
    set: (seconds) => {
      ahead = seconds;
      write();
    },
    pass: (seconds) => {
      passed += seconds;
      write();
    },
    code: `{
      const { readFileSync } = process.getBuiltinModule('node:fs');
      const wall = Date.now, steady = performance.now.bind(performance);
      let readAt = -Infinity, ahead = 0, passed = 0;
      const look = () => {
        if (steady() - readAt <= 10) return;
        [ahead, passed] = JSON.parse(readFileSync(${JSON.stringify(file)}, 'utf8'));
        readAt = steady();
      };
      Date.now = () => { look(); return wall() + (ahead + passed) * 1000; };
      performance.now = () => { look(); return steady() + passed * 1000; };
      const nanoseconds = process.hrtime.bigint;
      process.hrtime.bigint = () => { look(); return nanoseconds() + BigInt(passed) * 1_000_000_000n; };
    }`,
  };
}
