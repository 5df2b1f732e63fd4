import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** What the tests of the last run measured, a line each. */
export const FIGURES = 'test-artefacts/figures.txt';

/** Notes what a test measured. */
export function figure(line: string): void {
  mkdirSync(dirname(FIGURES), { recursive: true });
  appendFileSync(FIGURES, `${line}\n`);
}
