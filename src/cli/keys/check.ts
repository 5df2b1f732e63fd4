import type { Command } from 'commander';
import { CommandError } from '../command.error.js';
import { exposureOf } from './exposure.js';
import { KeyError, KeySet } from './gateway-keys.js';
import { documentProblems, setProblems } from './inspect.js';
import { readKeyText } from './key-file-contents.js';
import { fileOption } from './options.js';
import { say } from './output.js';

/** `signet keys check`: would the gateway take this file, and should it? For CI. */
export function registerCheck(keys: Command): void {
  keys
    .command('check')
    .description('Check a file as the gateway does, and more; exit code 1 and a line per problem')
    .addOption(fileOption())
    .action(check);
}

async function check({ file }: { file: string }): Promise<void> {
  const { text } = await readKeyText(file);
  const problems = [...documentProblems(text, file), ...(await exposureOf(file))];
  let summary = '';
  try {
    const set = KeySet.parse(text, file);
    problems.push(...setProblems(set));
    summary = `ok  ${file}: ${set.describeKids()}`;
    for (const { reason } of set.skipped) summary += `; ${reason}`;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
  }
  if (problems.length > 0) throw new CommandError(problems);
  say(summary);
}
