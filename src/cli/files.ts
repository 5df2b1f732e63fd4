import { resolve } from 'node:path';
import { withLock, type During } from './file-lock.js';
import { createFile, FileError, readTextFileSync, type FileContents } from '../core/files/index.js';

/**
 * Files by the names that somebody typed: relative to the working directory of the command, and named
 * in errors as they were typed.
 */
export class Files {
  /** @param during tells what takes long; default: nobody */
  constructor(
    private readonly cwd: string,
    private readonly during: During = (_, work) => work(),
  ) {}

  /** The absolute path of a name. */
  pathOf(name: string): string {
    return resolve(this.cwd, name);
  }

  /** @throws FileError when it cannot be read, or is larger than `maxBytes` (default 8 MiB) */
  read(name: string, maxBytes?: number): Promise<FileContents> {
    return this.named(name, async (path) => readTextFileSync(path, maxBytes));
  }

  /** Creates a file, mode 0600. @throws FileError when it cannot, with code `EEXIST` when there is one */
  create(name: string, text: string): Promise<void> {
    return this.named(name, (path) => createFile(path, text));
  }

  /** Works on a file, by its path, while no other command does. @throws as {@link withLock} */
  locked(path: string, work: () => Promise<void>): Promise<void> {
    return withLock(path, work, this.during);
  }

  /** Does something with the file's path; its errors name the file as it was typed. */
  async named<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
    try {
      return await work(this.pathOf(name));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new FileError(name, error.problem, error.code);
    }
  }
}
