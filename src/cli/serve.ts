import type { Command } from 'commander';

/** `signet serve`: the gateway itself. */
export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('Run the gateway, configured by the environment and .env')
    .action(async () => {
      await import('../main.js');
    });
}
