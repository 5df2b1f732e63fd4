import { CommanderError } from 'commander';
import { missingPackage, packageVersion } from '../packages/index.js';
import type { RawEnvironment } from '../environment/index.js';
import { registerClients } from './clients/register-clients.js';
import { CommandContext } from './command-context.js';
import type { CommandIo } from './command-io.js';
import { registerCompletion } from './completion/register-completion.js';
import { registerExplain } from './explain/register-explain.js';
import { registerKeys } from './keys/register-keys.js';
import { registerImportConfig } from './krakend/register-import-config.js';
import { Output, paint, showsColors, type Style } from './output.js';
import { registerRoutes } from './routes.js';
import { SignetCommand } from './signet-command.js';
import { registerState } from './state/register-state.js';

/**
 * Runs one command.
 *
 * @param argv the arguments after `signet`
 * @param env the environment, which takes precedence over `.env` in `io.cwd`
 * @param io streams and working directory. Only `serve` ignores them: it turns the current process into a gateway
 * @returns the exit code: 0, or 1 when the command was refused, failed, or answers "no". Never rejects
 */
export async function run(
  argv: readonly string[],
  env: RawEnvironment,
  io: CommandIo,
): Promise<number> {
  try {
    const context = new CommandContext(env, io);
    await program(context, env, io).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const { describeError } = await import('./describe-error.js');
    const output = new Output(io, env);
    const missing = await missingPackage(error);
    for (const line of missing === undefined ? describeError(error) : [missing])
      output.problem(line);
    return error instanceof CommanderError ? error.exitCode : 1;
  }
}

function program(context: CommandContext, env: RawEnvironment, io: CommandIo): SignetCommand {
  const signet = new SignetCommand('signet')
    .description('Token gateway: signs the claims of a login backend as JWTs and validates them')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80,
      // Where this is false, commander removes the styles from the help.
      getOutHasColors: () => showsColors(io.stdout, env),
      getErrHasColors: () => showsColors(io.stderr, env),
    })
    .configureHelp({
      styleTitle: inStyle('bold'),
      styleCommandText: inStyle('cyan'),
      styleSubcommandText: inStyle('cyan'),
      styleOptionText: inStyle('green'),
    });
  registerKeys(signet, context);
  registerClients(signet, context);
  registerState(signet, context);
  registerImportConfig(signet, context);
  registerExplain(signet, context);
  registerRoutes(signet, context);
  signet
    .command('serve')
    .description('Run the gateway, configured by the environment and .env')
    .action(async () => {
      await import('../main.js');
    });
  registerCompletion(signet, context);
  return signet;
}

const inStyle =
  (style: Style) =>
  (text: string): string =>
    paint(style, text);
