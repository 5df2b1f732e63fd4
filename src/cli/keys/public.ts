import type { Command } from 'commander';
import { createFile } from './atomic-file.js';
import { openKeys, toText } from './key-file-contents.js';
import { fileOption } from './options.js';
import { remark, say } from './output.js';

/** `signet keys public`: what `/.well-known/jwks.json` answers for this file. */
export function registerPublic(keys: Command): void {
  keys
    .command('public')
    .description('Show the public JWK Set: pending, active and verifying keys')
    .addOption(fileOption())
    .option('--out <path>', 'into a new file instead of standard output')
    .action(publish);
}

async function publish({ file, out }: { file: string; out?: string }): Promise<void> {
  const { set } = await openKeys(file);
  const text = toText(set.publicJwks.map((jwk) => ({ ...jwk })));
  if (out === undefined) process.stdout.write(text);
  else {
    await createFile(out, text);
    say(`file  ${out}`);
  }
  const secrets = set.all().filter(({ kty }) => kty === 'oct').length;
  if (secrets > 0)
    remark(`${secrets} symmetric key${secrets > 1 ? 's are' : ' is'} left out: never published`);
}
