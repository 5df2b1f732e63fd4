import { CommanderError } from 'commander';
import { ClientsError } from '../core/clients/index.js';
import { BootError } from '../core/errors/index.js';
import { FileError } from '../core/files/index.js';
import { KeyError } from '../core/keys/index.js';
import { oneLine } from '../core/text/index.js';
import { CommandError } from './command.error.js';

/**
 * Why a command failed, one line per problem, without a stack. Only messages that are known to hold
 * no secret are shown: those of a parser or of OpenSSL may quote the key.
 *
 * @returns no line where nothing failed: help and version were asked for
 */
export function describeError(error: unknown): readonly string[] {
  if (error instanceof CommanderError) return describeUsageError(error);
  if (error instanceof BootError || error instanceof CommandError || error instanceof ClientsError)
    return error.problems.map(oneLine);
  if (error instanceof KeyError || error instanceof FileError) return [oneLine(error.message)];
  const { code, name } = error as NodeJS.ErrnoException;
  return [`unexpected error (${code ?? name})`];
}

/**
 * A complaint about the command line without the values on it: a secret that was passed as an argument
 * must not show up again in the log of a CI job. Names of options and commands are repeated where they
 * cannot be a secret, and suggestions are names of our own.
 */
function describeUsageError({ code, message }: CommanderError): readonly string[] {
  const text = oneLine(message).replace(/^error: /, '');
  const suggestion = / \(Did you mean [^()]+\?\)$/.exec(text)?.[0] ?? '';
  switch (code) {
    case 'commander.help':
    case 'commander.helpDisplayed':
    case 'commander.version':
      return [];
    case 'commander.unknownOption':
      return [`unknown option${harmless(/'(.+)'/.exec(text)?.[1])}${suggestion}`];
    case 'commander.unknownCommand':
      return [`unknown command${harmless(/'(.+)'/.exec(text)?.[1])}${suggestion}`];
    case 'commander.excessArguments':
      return [text.replace(/^(too many arguments.*? but got \d+)[^]*/, '$1')];
    default:
      // The value of an option or argument: `option '--alg <alg>' argument 'none' is invalid. …`
      return [text.replace(/ (argument|value) '[^]*' is invalid/, ' $1 is invalid')];
  }
}

/** A word in quotes if it looks like the name of an option or a command; the value behind `=` is cut. */
function harmless(word = ''): string {
  const [name = '', ...value] = word.split('=');
  if (!/^-{0,2}[a-z][a-z-]{0,19}$/.test(name)) return '';
  return ` '${name}${value.length > 0 ? '=…' : ''}'`;
}
