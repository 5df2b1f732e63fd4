import type { Command } from 'commander';
import { encryptKeys } from '../../../core/keys/index.js';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import { toText } from '../files/key-files.js';
import { fileOption } from './options.js';

/** Shortest passphrase, in characters, as for `KEY_PASSPHRASE` of the gateway. */
const SHORTEST = 8;

/** `signet keys encrypt`: replaces a plain key file by a JWE (RFC 7517 section 7). */
export function registerEncrypt(keys: Command, context: CommandContext): void {
  keys
    .command('encrypt')
    .description('Encrypt a file in place with KEY_PASSPHRASE or KEY_PASSPHRASE_FILE')
    .addOption(fileOption(context.settings))
    .action((options: { file: string }) => encrypt(options, context));
}

async function encrypt(
  { file }: { file: string },
  { keyFiles, output, settings }: CommandContext,
): Promise<void> {
  const passphrase = settings.passphrase();
  if (passphrase === undefined)
    throw new CommandError('set KEY_PASSPHRASE or KEY_PASSPHRASE_FILE to encrypt with');
  if (passphrase.length < SHORTEST)
    throw new CommandError(`the passphrase must be at least ${SHORTEST} characters long`);
  await keyFiles.rewrite(file, ({ jwks, members, encrypted }) => {
    if (encrypted) throw new CommandError(`${file}: is encrypted already`);
    return encryptKeys(toText(jwks, members), passphrase);
  });
  output.fields([
    ['encrypted', file],
    ['next', 'give the gateway the same KEY_PASSPHRASE or KEY_PASSPHRASE_FILE before it starts'],
  ]);
}
