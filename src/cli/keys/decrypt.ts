import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { CommandError } from '../command.error.js';
import { createFile } from './atomic-file.js';
import { isEncrypted } from './gateway-keys.js';
import { openKeys, toText } from './key-file-contents.js';
import { fileOption } from './options.js';
import { say } from './output.js';

/** `signet keys decrypt`: the plain JWK Set of an encrypted file, to a place that was asked for. */
export function registerDecrypt(keys: Command): void {
  keys
    .command('decrypt')
    .description('Decrypt a file with KEY_PASSPHRASE or KEY_PASSPHRASE_FILE; it stays encrypted')
    .addOption(fileOption())
    .option('--out <path>', 'into a new file (mode 0600)')
    .option('--print', 'to standard output, secrets and all')
    .action(decrypt);
}

async function decrypt({
  file,
  out,
  print,
}: {
  file: string;
  out?: string;
  print?: boolean;
}): Promise<void> {
  if ((out === undefined) === (print !== true))
    throw new CommandError('decrypt needs either --out <path> or --print');
  const { jwks, members } = await openKeys(file);
  if (!isEncrypted(await readFile(file, 'utf8')))
    throw new CommandError(`${file}: is not encrypted`);
  const text = toText(jwks, members);
  if (out === undefined) return void process.stdout.write(text);
  await createFile(out, text);
  say(`decrypted  ${file} → ${out}`);
}
