import { CommanderError } from 'commander';
import { ClientsError } from '../core/clients/index.js';
import { BootError } from '../core/errors/index.js';
import { FileError } from '../core/files/index.js';
import { KeyError } from '../core/keys/index.js';
import { oneLine } from '../core/text/index.js';
import { CommandError } from './command.error.js';

/**
 * Describes why a command failed, in one line per problem, without a stack. Only messages that are known to contain no
 * secret are shown: messages of a parser or of OpenSSL may quote the key.
 *
 * @returns no lines when nothing failed, i.e. for `--help` and `--version`
 */
export function describeError(error: unknown): readonly string[] {
  // Commander throws for help and version, too. Errors in the command line are CommandErrors: see SignetCommand.
  if (error instanceof CommanderError) return [];
  if (error instanceof BootError || error instanceof CommandError || error instanceof ClientsError)
    return error.problems.map(oneLine);
  if (error instanceof KeyError || error instanceof FileError) return [oneLine(error.message)];
  const { code, name } = error as NodeJS.ErrnoException;
  return [`unexpected error (${code ?? name})`];
}
