import { Option, type Command } from 'commander';
import type { BackupContents } from '../../state/index.js';
import type { CommandContext } from '../command-context.js';

/** `signet state …`: backups of a SQLite state store. */
export function registerState(program: Command, context: CommandContext): void {
  const state = program
    .command('state')
    .description('Back up and restore the SQLite file of STATE_STORE, under running gateways');
  const store = (): Option =>
    new Option('--store <url>', 'sqlite:<file>').default(context.settings.text('STATE_STORE'));
  state
    .command('backup')
    .description(
      'Write what the store holds at this moment into a file, in place of what was there',
    )
    .argument('<file>')
    .addOption(store())
    .action(async (file: string, options: { store: string }) => {
      const { backUpStore } = await import('../../state/index.js');
      const done = await context.output.during('reading the store', () =>
        backUpStore(absolute(options.store, context), context.files.pathOf(file)),
      );
      context.output.line(`${file}: ${describe(done)}`);
    });
  state
    .command('restore')
    .description('Add to the store what it lacks of a backup; what it has stays')
    .argument('<file>')
    .addOption(store())
    .action(async (file: string, options: { store: string }) => {
      const { restoreStore } = await import('../../state/index.js');
      const done = await context.output.during('adding to the store', () =>
        restoreStore(absolute(options.store, context), context.files.pathOf(file)),
      );
      context.output.line(`the store has everything of ${file}: ${describe(done)}`);
    });
}

/** Makes the file of a store absolute. It is relative to the working directory of the command. */
const absolute = (url: string, { files }: CommandContext): string =>
  url.replace(/^(sqlite:)(.+)$/s, (_, scheme: string, file: string) => scheme + files.pathOf(file));

const describe = ({ revocations, usedTokens, sessions }: BackupContents): string =>
  `${revocations} revocations, ${usedTokens} used refresh tokens, ${sessions} sessions`;
