// npm run bench [-- --quick --json --crowded --only=name --rounds=n]: see README.md beside this file.
import { resolve } from 'node:path';
import { cases, type Case } from './cases.js';
import { Contestant } from './contestant.js';
import type { Measurement } from './measure.js';
import { table } from './table.js';

const quick = process.argv.includes('--quick');
const json = process.argv.includes('--json');
const option = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const only = option('only');

const effort = quick
  ? { rounds: 1, extent: { amount: 500 }, requests: 20_000 }
  : { rounds: Number(option('rounds') ?? 10), extent: { duration: 1 }, requests: 1_000_000 };
const results: { name: string; measurements: Measurement[] }[] = [];
const chosen = cases.filter((one: Case) => only === undefined || one.name.includes(only));
if (chosen.length === 0) throw new Error(`no case has '${only}' in its name`);
const neighbour = process.argv.includes('--crowded')
  ? await Contestant.start('neighbour', resolve('bench', 'dist', 'neighbour.js'))
  : undefined;
try {
  for (const { name, run } of chosen)
    results.push(
      ...(await run(effort)).map((result) => {
        const named = { name: `${name}${result.suffix}`, measurements: result.measurements };
        if (!json) process.stdout.write(`${table([named])}\n`);
        return named;
      }),
    );
} finally {
  await neighbour?.stop();
}
process.stdout.write(json ? `${JSON.stringify(results, null, 2)}\n` : `\n${table(results)}\n`);
