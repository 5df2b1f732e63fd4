// The results as a table of Markdown: a row per library, a column per step.
import { readFileSync } from 'node:fs';

const results = readFileSync(0, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t'));
const unique = (index) => [...new Set(results.map((row) => row[index]))];
const steps = unique(1);
const row = (cells) => `| ${cells.join(' | ')} |`;
console.log(row(['library', ...steps]));
console.log(row(['---', ...steps.map(() => '---')]));
for (const library of unique(0))
  console.log(
    row([
      library,
      ...steps.map(
        (step) => results.find(([name, what]) => name === library && what === step)?.[2] ?? '',
      ),
    ]),
  );
process.exitCode = results.every(([, , result]) => /^(?:ok|not on this machine)$/.test(result))
  ? 0
  : 1;
