import type { Command } from 'commander';
import type { CommandContext } from '../../command-context.js';
import { toText } from '../files/key-files.js';
import { fileOption } from './options.js';

interface PublicOptions {
  readonly file: string;
  readonly out?: string;
}

/** `signet keys public`: shows what `/.well-known/jwks.json` answers for this file. */
export function registerPublic(keys: Command, context: CommandContext): void {
  keys
    .command('public')
    .description('Show the public JWK Set: pending, active and verifying keys')
    .addOption(fileOption(context.settings))
    .option('--out <path>', 'into a new file instead of standard output')
    .action((options: PublicOptions) => publish(options, context));
}

async function publish(
  { file, out }: PublicOptions,
  { files, keyFiles, output }: CommandContext,
): Promise<void> {
  const { set } = await keyFiles.open(file);
  const text = toText(set.publicJwks.map((jwk) => ({ ...jwk })));
  if (out === undefined) output.text(text);
  else {
    await files.create(out, text);
    output.fields([
      ['file', out],
      ['next', `set VALIDATOR_JWK_LOCAL_PATH=${out} where tokens are only checked`],
    ]);
  }
  const secrets = set.all().filter(({ kty }) => kty === 'oct').length;
  if (secrets > 0)
    output.remark(
      `${secrets} symmetric key${secrets > 1 ? 's are' : ' is'} left out: never published`,
    );
}
