import type { Command } from 'commander';
import type { Explanation } from '../../core/explain/index.js';
import { oneLine } from '../../core/text/index.js';
import type { CommandContext } from '../command-context.js';
import { CommandError } from '../command.error.js';
import type { Output, Style } from '../output.js';

interface ExplainOptions {
  role?: string[];
  scope?: string[];
  json?: boolean;
}

/** `signet explain`: why the gateway accepts or refuses a token. */
export function registerExplain(program: Command, context: CommandContext): void {
  program
    .command('explain')
    .description('Say check by check why a token is accepted (exit code 0) or refused (1)')
    .argument('<token>', 'the token, or - to read it from standard input, out of the shell history')
    .option('--role <role...>', 'as on a route that asks for one of these roles')
    .option('--scope <scope...>', 'as on a route that asks for one of these scopes')
    .option('--json', 'as JSON')
    .action((token: string, options: ExplainOptions) => explain(token, options, context));
}

async function explain(
  argument: string,
  { role, scope, json = false }: ExplainOptions,
  context: CommandContext,
): Promise<void> {
  const token = argument === '-' ? (await context.readInput()).replace(/\r?\n$/, '') : argument;
  if (token === '') throw new CommandError('there is no token');
  const explanation = await context.output.during(
    'reading keys and state, asking issuers',
    async () => {
      // Loaded on demand: other commands do not need the gateway's configuration and checks.
      const { explainHere } = await import('./explain-here.js');
      return explainHere(token, { roles: role, scopes: scope }, context);
    },
  );
  if (json) context.output.json(explanation);
  else context.output.text(render(explanation, context.output));
  if (!explanation.accepted) context.exitCode = 1;
}

const MARKS = { passed: 'ok', refused: 'REFUSED', 'not checked': '-' } as const;
/** What is styled in a line: a mark, a fix, or the verdict at the end. */
const STYLED = /^(?:ok|REFUSED| +fix:|The token is (?:accepted|refused))/;
const STYLES: Readonly<Record<string, Style>> = {
  ok: 'green',
  'The token is accepted': 'green',
  REFUSED: 'red',
  'The token is refused': 'red',
  'fix:': 'cyan',
};
const INDENT = ' '.repeat(26);

function render({ accepted, code, checks }: Explanation, output: Output): string {
  const lines = checks.flatMap(({ check, verdict, found, reason, fix, notes = [] }) => [
    `${MARKS[verdict].padEnd(9)}${check.padEnd(17)}${[found, reason].filter((part) => part !== undefined).join('; ')}`.trimEnd(),
    ...[...notes, ...(fix === undefined ? [] : [`fix: ${fix}`])].map((line) => INDENT + line),
  ]);
  lines.push(accepted ? 'The token is accepted.' : `The token is refused: ${code}`);
  return lines
    .map((line) => {
      const text = `${line.startsWith(' ') ? INDENT : ''}${oneLine(line.trimStart())}\n`;
      return text.replace(STYLED, (word) => output.styled(STYLES[word.trim()], word));
    })
    .join('');
}
