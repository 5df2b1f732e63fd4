import { readFileSync } from 'node:fs';
import { BootError } from '../core/errors/index.js';
import { withoutMark } from '../core/json/index.js';

/**
 * Reads a file that a variable names, without a byte order mark and the line break at its end.
 *
 * @throws BootError with the name of the variable, without path and contents
 */
export function readSecretFile(variable: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return withoutMark(readFileSync(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BootError(`${variable} cannot be read (${code})`);
  }
}
