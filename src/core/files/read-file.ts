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

/** A file cannot be read or written. The message contains nothing of the file's contents. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;
  readonly problem: string;
  readonly code: string | undefined;

  /**
   * @param path the file, as the message names it
   * @param problem what is wrong with it
   * @param code error code of the operating system for this file: `ENOENT`, `EEXIST`, …
   */
  constructor(path: string, problem: string, code?: string) {
    super(`${path}: ${problem}`);
    this.path = path;
    this.problem = problem;
    this.code = code;
  }
}

const MIB = 1024 * 1024;
/** Longest file that is read by default, in bytes: longer than any key file. */
const DEFAULT_MAX_BYTES = 8 * MIB;

/** The contents of a file, and who can access it. */
export interface FileContents extends FileAccess {
  readonly text: string;
}

/**
 * Reads a file as UTF-8, without the byte order mark that some editors write.
 *
 * @param maxBytes a larger file is refused before it is read; default 8 MiB
 * @throws FileError when the file cannot be read, or is larger
 */
export async function readTextFile(
  path: string,
  maxBytes = DEFAULT_MAX_BYTES,
): Promise<FileContents> {
  try {
    // The mode is taken from the open file: another file may replace it at this path meanwhile.
    const handle = await open(path);
    try {
      const file = await handle.stat();
      checkSize(path, file, maxBytes);
      const text = await handle.readFile('utf8');
      const [named, folder] = await Promise.all([lstat(path), stat(dirname(path))]);
      const target = isLinkToFile(named, file)
        ? await stat(dirname(await realpath(path)))
        : undefined;
      return contentsOf(text, file, { named, folder, target });
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw asFileError(path, error);
  }
}

/** Like {@link readTextFile}, for commands: they have nothing else to do meanwhile, and this starts no threads. */
export function readTextFileSync(path: string, maxBytes = DEFAULT_MAX_BYTES): FileContents {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const file = fstatSync(descriptor);
      checkSize(path, file, maxBytes);
      const text = readFileSync(descriptor, 'utf8');
      const [named, folder] = [lstatSync(path), statSync(dirname(path))];
      const target = isLinkToFile(named, file) ? statSync(dirname(realpathSync(path))) : undefined;
      return contentsOf(text, file, { named, folder, target });
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw asFileError(path, error);
  }
}

/** True for a link to a file in a folder. A link to a pipe (`/dev/stdin`, `<(…)` in a shell) leads to no folder. */
const isLinkToFile = (named: Stats, file: Stats): boolean =>
  named.isSymbolicLink() && file.isFile();

/** @param place stat of the file or link at the path, of its folder and, for a link, of the folder of its target */
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
