import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIGURES } from '../helpers/run/figure.js';
import { leftOut } from '../helpers/run/programs.js';

/** What is being killed may take so long to be gone, in milliseconds. */
const PATIENCE_MS = 5000;

/**
 * Gives the run a folder of its own for everything temporary: of the tests, and of the processes
 * that they start. Whatever is left there at the end fails the run.
 */
export default function setUp(): () => Promise<void> {
  const outside = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'signet-run-'));
  process.env.TMPDIR = folder;
  rmSync(FIGURES, { force: true });
  // A proof that is left out must not look like one that holds.
  for (const line of leftOut) process.stderr.write(`${line}\n`);
  return async () => {
    if (outside === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outside;
    const until = performance.now() + PATIENCE_MS;
    while (processesOf(folder).length > 0 && performance.now() < until) await sleep(50);
    const processes = processesOf(folder);
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    const left = [
      ...readdirSync(folder).filter((name) => name.startsWith('signet-')),
      ...processes.map(({ command }) => command),
    ];
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`the tests left behind: ${left.join(', ')}`);
  };
}

/** The processes that were started in this temporary folder or with it, by proc(5); vitest's own are not among them. */
function processesOf(folder: string): { pid: number; command: string }[] {
  const pids = process.platform === 'linux' ? readdirSync('/proc').filter(Number) : [];
  return pids.flatMap((pid) => {
    try {
      const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
      const isOurs =
        read('environ').split('\0').includes(`TMPDIR=${folder}`) ||
        readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
      const parent = Number(/^PPid:\s+(\d+)/m.exec(read('status'))?.[1]);
      if (!isOurs || Number(pid) === process.pid || parent === process.pid) return [];
      return [{ pid: Number(pid), command: read('cmdline').replaceAll('\0', ' ') }];
    } catch {
      // It has ended meanwhile, or belongs to somebody else.
      return [];
    }
  });
}
