import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './resources.js';

/** The wall clock of several processes, and of their threads. */
export interface MachineClock {
  /** Seconds by which it is ahead. */
  set(seconds: number): void;
  /** For `preload`. */
  readonly code: string;
}
export function machineClock(): MachineClock {
  const file = join(tempFolder('clock'), 'ahead');
  const set = (seconds: number): void => {
    writeFileSync(`${file}.new`, String(seconds));
    renameSync(`${file}.new`, file);
  };
  set(0);
  return {
    set,
    code: `const { readFileSync } = process.getBuiltinModule('node:fs');
      const wall = Date.now; let readAt = -Infinity, ahead = 0;
      Date.now = () => {
        if (performance.now() - readAt > 10) {
          ahead = Number(readFileSync(${JSON.stringify(file)}, 'utf8')) * 1000;
          readAt = performance.now();
        }
        return wall() + ahead;
      };`,
  };
}
