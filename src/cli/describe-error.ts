import { CommanderError } from 'commander';
import { BootError } from '../core/errors/index.js';
import { KeyError } from './keys/gateway-keys.js';
import { CommandError } from './command.error.js';

/**
 * Why a command failed, one line per problem, without a stack. Only messages that are known to hold
 * no secret are shown: those of a parser or of OpenSSL may quote the key.
 *
 * @returns no line when commander has told it already
 */
export function describeError(error: unknown): readonly string[] {
  if (error instanceof CommanderError) return [];
  if (error instanceof BootError || error instanceof CommandError)
    return error.problems.map(oneLine);
  if (error instanceof KeyError) return [oneLine(error.message)];
  const { code, name } = error as NodeJS.ErrnoException;
  return [`unexpected error (${code ?? name})`];
}

/** A kid comes from a file and may hold line breaks or terminal control sequences. */
export const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');

/**
 * A complaint of commander's without the values it repeats: a secret that was passed as an argument
 * must not show up again in the log of a CI job.
 */
export const describeUsageError = (text: string): string =>
  oneLine(text.trim())
    .replace(/^error: /, '')
    .replace(/(--[\w-]+)=[^']*/g, '$1=…')
    .replace(/^(too many arguments.*? but got \d+).*/, '$1');
