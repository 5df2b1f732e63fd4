import type { Command } from 'commander';
import { CommandError } from '../command.error.js';
import { passphrase } from '../environment.js';
import { encryptKeys } from './gateway-keys.js';
import { rewriteKeys, toText } from './key-file-contents.js';
import { fileOption } from './options.js';
import { say } from './output.js';

/** As short as `KEY_PASSPHRASE` may be. */
const SHORTEST = 8;

/** `signet keys encrypt`: a JWE (RFC 7517 section 7) takes the place of the plain file. */
export function registerEncrypt(keys: Command): void {
  keys
    .command('encrypt')
    .description('Encrypt a file in place with KEY_PASSPHRASE or KEY_PASSPHRASE_FILE')
    .addOption(fileOption())
    .action(encrypt);
}

async function encrypt({ file }: { file: string }): Promise<void> {
  const secret = passphrase();
  if (secret === undefined)
    throw new CommandError('set KEY_PASSPHRASE or KEY_PASSPHRASE_FILE to encrypt with');
  if (secret.length < SHORTEST)
    throw new CommandError(`the passphrase must be at least ${SHORTEST} characters long`);
  await rewriteKeys(file, ({ jwks, members }, encrypted) => {
    if (encrypted) throw new CommandError(`${file}: is encrypted already`);
    return encryptKeys(toText(jwks, members), secret);
  });
  say(`encrypted  ${file}`);
}
