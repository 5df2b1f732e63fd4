import type { Command } from 'commander';
import type { ImportedKey } from '../../../core/keys/index.js';
import type { CommandContext } from '../../command-context.js';
import { CommandError } from '../../command.error.js';
import type { Settings } from '../../settings.js';
import type { KeyFileContents } from '../files/key-files.js';
import { configuredKid, findKey, shareAlgorithm, signsNow } from '../files/select-keys.js';
import { withLifecycle } from '../material/new-key.js';
import { fileOption, inFile } from './options.js';

interface RetireOptions {
  readonly file: string;
  readonly force?: boolean;
}

/** `signet keys retire`: refuses the tokens of a key from now on, e.g. because it was stolen. */
export function registerRetire(keys: Command, context: CommandContext): void {
  keys
    .command('retire')
    .description('Refuse all tokens of a key from now on, e.g. because it was stolen')
    .argument('<kid>')
    .addOption(fileOption(context.settings))
    .option('--force', 'even the key that signs')
    // A kid may begin with a hyphen.
    .allowUnknownOption()
    .action((kid: string, options: RetireOptions) => retire(kid, options, context));
}

async function retire(
  name: string,
  { file, force = false }: RetireOptions,
  { keyFiles, output, settings }: CommandContext,
): Promise<void> {
  const lines: string[] = [];
  await keyFiles.change(file, (contents) => {
    const found = findKey(contents, name);
    const { kid } = found.key;
    if (found.lifecycle?.state === 'retired') {
      lines.push(`${kid} is retired already`);
      return undefined;
    }
    const reason = reasonToKeep(found, contents, settings);
    if (reason !== undefined && !force)
      throw new CommandError(
        `${reason}; without it a running gateway refuses the file and goes on accepting this key, and none boots. First: signet keys rotate --now --force, until another key is active. --force does it nevertheless`,
      );
    lines.push(
      `retired    ${kid}: its tokens are refused as soon as the gateway has read the file`,
    );
    if (reason !== undefined)
      lines.push(
        'note       no key signs now: a running gateway goes on with the old keys until one does, and none boots',
        `next       signet keys rotate${inFile(file, settings)} --now --force, until another key is active`,
      );
    return contents.jwks.map((jwk) =>
      jwk.kid === kid ? withLifecycle(jwk, { ...found.lifecycle, state: 'retired' }) : jwk,
    );
  });
  for (const line of lines) output.line(line);
}

/** Returns why the gateway still needs a key; `undefined` if it does not. */
function reasonToKeep(
  found: ImportedKey,
  { set }: KeyFileContents,
  settings: Settings,
): string | undefined {
  const { key, thumbprint } = found;
  if (!signsNow(found)) return undefined;
  const configured = configuredKid(settings);
  if (configured === key.kid || configured === thumbprint)
    return `kid '${key.kid}' is the one that SIGNER_KID names`;
  const others = set
    .entries()
    .filter((other) => other !== found && signsNow(other))
    .filter((other) => shareAlgorithm(other.key, key));
  return others.length === 0 ? `kid '${key.kid}' is the only one that signs` : undefined;
}
