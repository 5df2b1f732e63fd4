import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Explanation } from '../../core/explain/index.js';
import { CommandError } from '../command.error.js';
import { oneLine } from '../describe-error.js';

interface ExplainOptions {
  role?: string[];
  scope?: string[];
  json?: boolean;
}

/** `signet explain`: why the gateway accepts or refuses a token. */
export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description('Say check by check why a token is accepted (exit code 0) or refused (1)')
    .argument('<token>', 'the token, or - to read it from standard input, out of the shell history')
    .option('--role <role...>', 'as on a route that asks for one of these roles')
    .option('--scope <scope...>', 'as on a route that asks for one of these scopes')
    .option('--json', 'as JSON')
    .action(explain);
}

async function explain(argument: string, options: ExplainOptions): Promise<void> {
  const token = argument === '-' ? (await text(process.stdin)).replace(/\r?\n$/, '') : argument;
  if (token === '') throw new CommandError('there is no token');
  // Loads the gateway's configuration and checks, which no other command should wait for.
  const { explainHere } = await import('./explain-here.js');
  const explanation = await explainHere(token, { roles: options.role, scopes: options.scope });
  process.stdout.write(
    options.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : render(explanation),
  );
  if (!explanation.accepted) process.exitCode = 1;
}

const MARKS = { passed: 'ok', refused: 'REFUSED', 'not checked': '-' } as const;
const INDENT = ' '.repeat(26);

function render({ accepted, code, checks }: Explanation): string {
  const lines = checks.flatMap(({ check, verdict, found, reason, fix }) => [
    `${MARKS[verdict].padEnd(9)}${check.padEnd(17)}${[found, reason].filter((part) => part !== undefined).join('; ')}`.trimEnd(),
    ...(fix === undefined ? [] : [`${INDENT}fix: ${fix}`]),
  ]);
  lines.push(accepted ? 'The token is accepted.' : `The token is refused: ${code}`);
  return lines
    .map((line) => `${line.startsWith(' ') ? INDENT : ''}${oneLine(line.trimStart())}\n`)
    .join('');
}
