/** Readable by everybody, or writable by anyone but the owner. */
const EXPOSED_MODE = 0o026;

/** True for permissions with which others can read or change a file. Group members may read. */
export const isExposed = (mode: number): boolean => (mode & EXPOSED_MODE) !== 0;

/**
 * How others can read or change a file that holds secrets, with the command that stops them.
 *
 * @param path what the message calls the file
 * @param mode its permissions, as of stat(2)
 * @returns `undefined` when nobody else can, and on Windows, where the mode does not say
 */
export const describeExposure = (path: string, mode: number): string | undefined =>
  process.platform !== 'win32' && isExposed(mode)
    ? `${path} can be read or changed by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${path}`
    : undefined;
