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
