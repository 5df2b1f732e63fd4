import type { Command } from 'commander';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import { toText } from '../files/key-files.js';
import { fileOption } from './options.js';

interface DecryptOptions {
  readonly file: string;
  readonly out?: string;
  readonly print?: boolean;
}

/** `signet keys decrypt`: writes the plain JWK Set of an encrypted file to a new file or to standard output. */
export function registerDecrypt(keys: Command, context: CommandContext): void {
  keys
    .command('decrypt')
    .description('Decrypt a file with KEY_PASSPHRASE or KEY_PASSPHRASE_FILE; it stays encrypted')
    .addOption(fileOption(context.settings))
    .option('--out <path>', 'into a new file (mode 0600)')
    .option('--print', 'to standard output, secrets and all')
    .action((options: DecryptOptions) => decrypt(options, context));
}

async function decrypt(
  { file, out, print = false }: DecryptOptions,
  { files, keyFiles, output }: CommandContext,
): Promise<void> {
  if ((out === undefined) !== print)
    throw new CommandError('decrypt needs either --out <path> or --print');
  const { jwks, members, encrypted } = await keyFiles.open(file);
  if (!encrypted) throw new CommandError(`${file}: is not encrypted`);
  const text = toText(jwks, members);
  if (out === undefined) return output.text(text);
  await files.create(out, text);
  output.fields([
    ['decrypted', `${file} → ${out}`],
    ['next', `remove ${out} when it has served its purpose`],
  ]);
}
