import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs';
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
    // The mode is that of the very file that is read, whatever is put in its place meanwhile.
    const handle = await open(path);
    try {
      const file = await handle.stat();
      checkSize(path, file, maxBytes);
      const text = await handle.readFile('utf8');
      const [named, folder] = await Promise.all([lstat(path), stat(dirname(path))]);
      const target = leads(named, file) ? await stat(dirname(await realpath(path))) : undefined;
      return contentsOf(text, file, { named, folder, target });
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw asFileError(path, error);
  }
}

/** The same for a command, which has nothing to do meanwhile: it starts no threads for it. */
export function readTextFileSync(path: string, maxBytes = DEFAULT_MAX_BYTES): FileContents {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const file = fstatSync(descriptor);
      checkSize(path, file, maxBytes);
      const text = readFileSync(descriptor, 'utf8');
      const [named, folder] = [lstatSync(path), statSync(dirname(path))];
      const target = leads(named, file) ? statSync(dirname(realpathSync(path))) : undefined;
      return contentsOf(text, file, { named, folder, target });
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw asFileError(path, error);
  }
}

/** Whether a name leads into another folder; a pipe, as `/dev/stdin` or `<(…)` in a shell, is in none. */
const leads = (named: Stats, file: Stats): boolean => named.isSymbolicLink() && file.isFile();

/** @param place the file or link of that name, its folder, and where it is a link the folder to which it leads */
function contentsOf(
  text: string,
  file: Stats,
  { named, folder, target }: { named: Stats; folder: Stats; target?: Stats | undefined },
): FileContents {
  const contents = { text: withoutMark(text), ...accessOf(file, target ?? folder) };
  return target === undefined
    ? contents
    : { ...contents, link: { uid: named.uid, folderMode: folder.mode } };
}

function checkSize(path: string, { size }: Stats, maxBytes: number): void {
  if (size > maxBytes) throw new FileError(path, `larger than ${maxBytes} bytes`);
}

function asFileError(path: string, error: unknown): FileError {
  if (error instanceof FileError) return error;
  const { code } = error as NodeJS.ErrnoException;
  return new FileError(path, `cannot be read (${code})`, code);
}
