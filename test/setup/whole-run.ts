import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { FIGURES } from '../helpers/figure.js';

/**
 * Gives the run a folder of its own for everything temporary: of the tests, and of the processes
 * that they start. Whatever is left there at the end fails the run.
 */
export default function setUp({ config }: TestProject): () => void {
  const outside = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'signet-run-'));
  process.env.TMPDIR = folder;
  // Hundreds of processes load the same modules. What comes from the cache has no exact coverage.
  if (!config.coverage.enabled) process.env.NODE_COMPILE_CACHE = join(folder, 'compile-cache');
  rmSync(FIGURES, { force: true });
  return () => {
    if (outside === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outside;
    const left = [
      ...readdirSync(folder).filter((name) => name.startsWith('signet-')),
      ...processesOf(folder),
    ];
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`the tests left behind: ${left.join(', ')}`);
  };
}

/** Command lines of the processes whose temporary folder this is, by proc(5); vitest's own are not among them. */
function processesOf(folder: string): string[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .flatMap((pid) => {
        try {
          const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
          if (!read('environ').split('\0').includes(`TMPDIR=${folder}`)) return [];
          if (Number(/^PPid:\s+(\d+)/m.exec(read('status'))?.[1]) === process.pid) return [];
          return [`${pid} ${read('cmdline').replaceAll('\0', ' ')}`];
        } catch {
          // It has ended meanwhile, or belongs to somebody else.
          return [];
        }
      });
  } catch {
    // No Linux.
    return [];
  }
}
