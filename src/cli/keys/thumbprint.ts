import type { Command } from 'commander';
import { openKeys } from './key-file-contents.js';
import { findKey } from './rotation-group.js';
import { fileOption } from './options.js';
import { say } from './output.js';
import { toTable } from './table.js';

/** `signet keys thumbprint`: RFC 7638, of one key or of all. */
export function registerThumbprint(keys: Command): void {
  keys
    .command('thumbprint')
    .description('Show the RFC 7638 thumbprint of one key, or of all')
    .argument('[kid]')
    .addOption(fileOption())
    // A kid may begin with a hyphen.
    .allowUnknownOption()
    .action(thumbprint);
}

async function thumbprint(kid: string | undefined, { file }: { file: string }): Promise<void> {
  const document = await openKeys(file);
  if (kid !== undefined) return say(findKey(document, kid).thumbprint);
  const rows = document.set.entries().map((entry) => [entry.key.kid, entry.thumbprint]);
  if (rows.length > 0) for (const line of toTable(rows).split('\n')) say(line);
}
