import { resolve } from 'node:path';
import { withLock, type During } from './file-lock.js';
import { createFile, FileError, readTextFileSync, type FileContents } from '../core/files/index.js';

/**
 * Files by the names on the command line. Names are relative to the working directory of the command, and errors show
 * them as they were typed.
 */
export class Files {
  /** @param during shows what the command waits for. Default: nothing is shown */
  constructor(
    private readonly cwd: string,
    private readonly during: During = (_, work) => work(),
  ) {}

  /** Returns the absolute path of a file. */
  pathOf(name: string): string {
    return resolve(this.cwd, name);
  }

  /** @throws FileError when the file cannot be read, or is larger than `maxBytes` (default 8 MiB) */
  read(name: string, maxBytes?: number): Promise<FileContents> {
    return this.named(name, async (path) => readTextFileSync(path, maxBytes));
  }

  /** Creates a file, mode 0600. @throws FileError when it cannot be created, with code `EEXIST` if it exists */
  create(name: string, text: string): Promise<void> {
    return this.named(name, (path) => createFile(path, text));
  }

  /** Runs `work` while no other command can change the file. @throws like {@link withLock} */
  locked(path: string, work: () => Promise<void>): Promise<void> {
    return withLock(path, work, this.during);
  }

  /** Calls `work` with the absolute path of a file. Errors name the file as it was typed. */
  async named<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
    try {
      return await work(this.pathOf(name));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new FileError(name, error.problem, error.code);
    }
  }
}
