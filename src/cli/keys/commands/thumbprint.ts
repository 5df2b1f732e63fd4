import type { Command } from 'commander';
import type { CommandContext } from '../../command-context.js';
import { findKey } from '../files/select-keys.js';
import { fileOption } from './options.js';

/** `signet keys thumbprint`: shows the RFC 7638 thumbprint of one key or of all keys. */
export function registerThumbprint(keys: Command, context: CommandContext): void {
  keys
    .command('thumbprint')
    .description('Show the RFC 7638 thumbprint of one key, or of all')
    .argument('[kid]')
    .addOption(fileOption(context.settings))
    // A kid may begin with a hyphen.
    .allowUnknownOption()
    .action((kid: string | undefined, { file }: { file: string }) =>
      thumbprint(kid, file, context),
    );
}

async function thumbprint(
  kid: string | undefined,
  file: string,
  { keyFiles, output }: CommandContext,
): Promise<void> {
  const contents = await keyFiles.open(file);
  if (kid !== undefined) return output.line(findKey(contents, kid).thumbprint);
  output.table(contents.set.entries().map((entry) => [entry.key.kid, entry.thumbprint]));
}
