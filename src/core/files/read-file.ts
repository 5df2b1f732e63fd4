import { readFileSync, statSync, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withoutMark } from '../json/index.js';
import { accessOf, type FileAccess } from './exposure.js';

/** Why a file cannot be read or written. Holds nothing of its contents. */
export class FileError extends Error {
  override readonly name = 'FileError';

  /**
   * @param path the file, as the message names it
   * @param problem what is wrong with it
   * @param code what the operating system answered about this very file: `ENOENT`, `EEXIST`, …
   */
  constructor(
    readonly path: string,
    readonly problem: string,
    readonly code?: string,
  ) {
    super(`${path}: ${problem}`);
  }
}

const MIB = 1024 * 1024;
/** More than any key file needs. */
const DEFAULT_MAX_BYTES = 8 * MIB;

/** A file as it was read. */
export interface FileContents extends FileAccess {
  readonly text: string;
}

/**
 * Reads a file as UTF-8, without the byte order mark that some editors write.
 *
 * @param maxBytes a larger file is refused before it is read; default 8 MiB
 * @throws FileError when it cannot be read, or is larger
 */
export async function readTextFile(
  path: string,
  maxBytes = DEFAULT_MAX_BYTES,
): Promise<FileContents> {
  try {
    const [file, folder] = await Promise.all([stat(path), stat(dirname(path))]);
    checkSize(path, file, maxBytes);
    return { text: withoutMark(await readFile(path, 'utf8')), ...accessOf(file, folder) };
  } catch (error) {
    throw asFileError(path, error);
  }
}

/** The same for a command, which has nothing to do meanwhile: it starts no threads for it. */
export function readTextFileSync(path: string, maxBytes = DEFAULT_MAX_BYTES): FileContents {
  try {
    const [file, folder] = [statSync(path), statSync(dirname(path))];
    checkSize(path, file, maxBytes);
    return { text: withoutMark(readFileSync(path, 'utf8')), ...accessOf(file, folder) };
  } catch (error) {
    throw asFileError(path, error);
  }
}

function checkSize(path: string, { size }: Stats, maxBytes: number): void {
  if (size > maxBytes) throw new FileError(path, `larger than ${maxBytes} bytes`);
}

function asFileError(path: string, error: unknown): FileError {
  if (error instanceof FileError) return error;
  const { code } = error as NodeJS.ErrnoException;
  return new FileError(path, `cannot be read (${code})`, code);
}
