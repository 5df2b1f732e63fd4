import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { figure } from '../helpers/run/figure.js';

/** What an import costs, beside that of Nest: reported, since times are those of one machine. */

const RUNS = 5;
const run = promisify(execFile);

interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Milliseconds of an import in a process of its own, and of CPU: the median of all runs. */
async function costOf(specifier: string): Promise<Cost> {
  const code = `
    const { performance } = globalThis;
    const before = process.cpuUsage();
    const start = performance.now();
    await import(${JSON.stringify(specifier)});
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ ms: performance.now() - start, cpuMs: (user + system) / 1000 }));`;
  const costs: Cost[] = [];
  for (let i = 0; i < RUNS; i++) {
    const env = { ...process.env, NODE_COMPILE_CACHE: '' };
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { env });
    costs.push(JSON.parse(stdout) as Cost);
  }
  const median = (name: keyof Cost): number =>
    costs.map((cost) => cost[name]).toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? NaN;
  return { ms: median('ms'), cpuMs: median('cpuMs') };
}

it('an import costs as much as is reported', async () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, { default?: string }>;
  };
  const subpaths = Object.entries(exports).flatMap(([path, { default: file }]) =>
    file === undefined ? [] : [path.replace('.', 'nest-signet')],
  );
  expect(subpaths).toContain('nest-signet/auth');
  const costs = new Map<string, Cost>();
  for (const specifier of ['@nestjs/common', '@nestjs/core', ...subpaths]) {
    const cost = await costOf(specifier);
    costs.set(specifier, cost);
    figure(`import ${specifier}: ${cost.ms.toFixed(0)} ms, ${cost.cpuMs.toFixed(0)} ms of CPU`);
  }
  // The rules alone cost less than Nest, which most parts load.
  const cpuMs = (specifier: string): number => costs.get(specifier)?.cpuMs ?? NaN;
  expect(cpuMs('nest-signet/core')).toBeLessThan(cpuMs('@nestjs/common'));
}, 600_000);
