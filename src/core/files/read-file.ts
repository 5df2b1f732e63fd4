import { lstat, open, realpath, stat } from 'node:fs/promises';
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
    // What is said of a file is true of the one that is read, whatever is put in its place meanwhile.
    const handle = await open(path);
    try {
      const file = await handle.stat();
      if (file.size > maxBytes) throw new FileError(path, `larger than ${maxBytes} bytes`);
      const text = withoutMark(await handle.readFile('utf8'));
      const [named, folder] = await Promise.all([lstat(path), stat(dirname(path))]);
      if (!named.isSymbolicLink()) return { text, ...accessOf(file, folder) };
      const link = { uid: named.uid, folderMode: folder.mode };
      return { text, ...accessOf(file, await stat(dirname(await realpath(path)))), link };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw error instanceof FileError
      ? error
      : new FileError(path, `cannot be read (${code})`, code);
  }
}
