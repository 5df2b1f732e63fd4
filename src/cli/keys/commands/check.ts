import type { Command } from 'commander';
import { KeyError, KeySet } from '../../../core/keys/index.js';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import { contentProblems, exposureProblems, setProblems } from '../files/problems.js';
import { fileOption } from './options.js';

/** `signet keys check`: checks whether the gateway would accept a key file, and whether the file is safe. For CI. */
export function registerCheck(keys: Command, context: CommandContext): void {
  keys
    .command('check')
    .description('Check a file as the gateway does, and more; exit code 1 and a line per problem')
    .addOption(fileOption(context.settings))
    .action((options: { file: string }) => check(options, context));
}

async function check(
  { file }: { file: string },
  { files, keyFiles, output, settings }: CommandContext,
): Promise<void> {
  const contents = await keyFiles.read(file);
  const problems = [
    ...contentProblems(contents.text, file),
    ...(await exposureProblems(files.pathOf(file), file, contents)),
  ];
  let summary = '';
  try {
    const set = KeySet.parse(contents.text, file);
    problems.push(...setProblems(set, settings));
    summary = `ok  ${file}: ${set.describeKids()}`;
    for (const { reason } of set.skipped) summary += `; ${reason}`;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
  }
  if (problems.length > 0) throw new CommandError(problems);
  output.line(summary);
}
