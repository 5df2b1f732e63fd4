import { Command, CommanderError } from 'commander';
import { registerClients } from './clients/register-clients.js';
import { CommandContext } from './command-context.js';
import type { RawEnvironment } from '../environment/index.js';
import type { CommandIo } from './command-io.js';
import { describeError } from './describe-error.js';
import { registerExplain } from './explain/register-explain.js';
import { registerKeys } from './keys/register-keys.js';
import { registerImportConfig } from './krakend/register-import-config.js';
import { Output } from './output.js';
import { packageVersion } from '../packages/index.js';
import { registerRoutes } from './routes.js';
import { registerServe } from './serve.js';

/**
 * Runs one command.
 *
 * @param argv what stands behind `signet` on the command line
 * @param env the environment; `.env` in `io.cwd` adds to it
 * @param io streams and working directory. `serve` alone does not keep to them: it makes the process
 * it runs in a gateway
 * @returns the exit code: 0, or 1 when the command was refused, failed, or answers "no". Never rejects
 */
export async function run(
  argv: readonly string[],
  env: RawEnvironment,
  io: CommandIo,
): Promise<number> {
  try {
    const context = new CommandContext(env, io);
    await program(context, io).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const output = new Output(io.stdout, io.stderr);
    for (const line of describeError(error)) output.remark(line);
    return error instanceof CommanderError ? error.exitCode : 1;
  }
}

function program(context: CommandContext, { stdout, stderr }: CommandIo): Command {
  const signet = new Command('signet')
    .description('Token gateway: signs the claims of a login backend as JWTs and validates them')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 80,
      getErrHelpWidth: () => stderr.columns ?? 80,
      // The error is thrown as well, and told without the values that it repeats.
      outputError: () => undefined,
    });
  registerKeys(signet, context);
  registerClients(signet, context);
  registerImportConfig(signet, context);
  registerExplain(signet, context);
  registerRoutes(signet, context);
  registerServe(signet);
  return signet;
}
