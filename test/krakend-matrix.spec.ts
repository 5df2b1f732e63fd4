import { readFileSync } from 'node:fs';
import { format } from 'prettier';
import { expect, it } from 'vitest';
import { OPTION_TABLE, type Fate } from '../src/cli/krakend/option-table.js';

const PAGE = 'docs/krakend.md';
const HEADLINE = '## Every option\n';

const WORDS: Readonly<Record<Fate, string>> = {
  taken: 'taken over',
  none: 'nothing to do',
  differs: 'a line: different',
  todo: 'a line: to do',
  refused: 'route refused',
  leftOut: 'left out',
};

/** A table per object of the configuration; options with the same words in one row. */
function matrix(): string {
  const scopes = [...Map.groupBy(OPTION_TABLE, ({ scope }) => scope)];
  return scopes
    .map(([scope, rows]) => {
      const same = Map.groupBy(rows, ({ fate, here }) => `${WORDS[fate]} | ${here}`);
      const lines = [...same].map(
        ([words, [...options]]) =>
          `| ${options.map(({ name }) => `\`${name}\``).join(', ')} | ${words} |`,
      );
      return `### ${scope}\n\n| KrakenD | what becomes of it | here |\n| --- | --- | --- |\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

// After a change of the table: npx vitest run test/krakend-matrix -u
it('the manual shows the table of options that the code has', async () => {
  const text = readFileSync(PAGE, 'utf8');
  const before = text.slice(0, text.indexOf(HEADLINE) + HEADLINE.length);
  const intro =
    'What becomes of each option, in the words of the report. "Route refused": it answers 403 until you decide.';
  const page = await format(`${before}\n${intro}\n\n${matrix()}`, {
    parser: 'markdown',
    proseWrap: 'preserve',
    printWidth: 100,
  });
  await expect(page).toMatchFileSnapshot(`../${PAGE}`);
});
