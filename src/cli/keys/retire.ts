import type { Command } from 'commander';
import { CommandError } from '../command.error.js';
import type { ImportedKey } from './gateway-keys.js';
import { changeKeys, type KeyDocument } from './key-file-contents.js';
import { configuredKid, findKey, sharedAlgorithm, signsNow } from './rotation-group.js';
import { withLifecycle } from './new-key.js';
import { fileOption } from './options.js';
import { say } from './output.js';

/** `signet keys retire`: refuses the tokens of a key from now on, because others may have it. */
export function registerRetire(keys: Command): void {
  keys
    .command('retire')
    .description('Refuse all tokens of a key from now on, e.g. because it was stolen')
    .argument('<kid>')
    .addOption(fileOption())
    .option('--force', 'even the key that signs')
    // A kid may begin with a hyphen.
    .allowUnknownOption()
    .action(retire);
}

async function retire(name: string, options: { file: string; force?: boolean }): Promise<void> {
  const { file, force = false } = options;
  const lines: string[] = [];
  await changeKeys(file, (document) => {
    const found = findKey(document, name);
    const { kid } = found.key;
    if (found.lifecycle?.state === 'retired') {
      lines.push(`${kid} is retired already`);
      return Promise.resolve(undefined);
    }
    const reason = indispensable(found, document);
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
      );
    return Promise.resolve(
      document.jwks.map((jwk) =>
        jwk.kid === kid ? withLifecycle(jwk, { ...found.lifecycle, state: 'retired' }) : jwk,
      ),
    );
  });
  for (const line of lines) say(line);
}

/** Why the gateway cannot do without a key. */
function indispensable(found: ImportedKey, { set }: KeyDocument): string | undefined {
  const { key, thumbprint } = found;
  if (!signsNow(found)) return undefined;
  const configured = configuredKid();
  if (configured === key.kid || configured === thumbprint)
    return `kid '${key.kid}' is the one that SIGNER_KID names`;
  const others = set
    .entries()
    .filter((other) => other !== found && signsNow(other))
    .filter((other) => sharedAlgorithm(other.key, key) !== undefined);
  return others.length === 0 ? `kid '${key.kid}' is the only one that signs` : undefined;
}
