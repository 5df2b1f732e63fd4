import { Argument, type Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { choiceOf } from '../signet-command.js';
import type { Shell } from './scripts.js';

const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** `signet completion`: a script that lets a shell complete the commands that help lists. */
export function registerCompletion(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description(
      'Print a script that completes commands and options: source <(signet completion bash)',
    )
    .addArgument(choiceOf(new Argument('<shell>', 'the shell'), SHELLS))
    .action(async (shell: Shell) => {
      const [{ commandTable }, { renderScript }] = await Promise.all([
        import('./command-table.js'),
        import('./scripts.js'),
      ]);
      context.output.text(renderScript(shell, commandTable(program)));
    });
}
