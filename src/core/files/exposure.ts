import type { Stats } from 'node:fs';

/** Readable by everybody, or writable by anyone but the owner. */
const EXPOSED_MODE = 0o026;
const EVERYBODY_WRITES = 0o002;
/** In a folder: who may not write a file may not remove it, either. */
const STICKY = 0o1000;
const ROOT = 0;

/** Who can do what with a file. */
export interface FileAccess {
  /** Type and permissions, as of stat(2). */
  readonly mode: number;
  /** Its owner. */
  readonly uid: number;
  /** Type and permissions of the folder in which it lies. */
  readonly folderMode: number;
  /** Where it was named by a symbolic link, which can be made to lead elsewhere: the same of that. */
  readonly link?: Pick<FileAccess, 'uid' | 'folderMode'>;
}

/** True for permissions with which others can read or change a file. Group members may read. */
export const isExposed = (mode: number): boolean => (mode & EXPOSED_MODE) !== 0;

/** What {@link describeExposure} asks about, of stat(2) of a file and its folder. */
export const accessOf = ({ mode, uid }: Stats, folder: Stats): FileAccess => ({
  mode,
  uid,
  folderMode: folder.mode,
});

/**
 * How others can read, change or replace a file that holds secrets, with what stops them.
 *
 * @param path what the message calls the file
 * @param user who the process runs as; default: its user
 * @returns `undefined` when nobody else can, and on Windows, where the mode does not say
 */
export function describeExposure(
  path: string,
  { mode, link, ...file }: FileAccess,
  user = process.getuid?.(),
): string | undefined {
  if (user === undefined) return undefined;
  if (isExposed(mode))
    return `${path} can be read or changed by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${path}`;
  return link === undefined
    ? describeFolder(path, file, user)
    : (describeFolder(path, link, user) ??
        describeFolder(`the file to which ${path} leads`, file, user));
}

function describeFolder(
  path: string,
  { uid, folderMode }: Pick<FileAccess, 'uid' | 'folderMode'>,
  user: number,
): string | undefined {
  if ((folderMode & EVERYBODY_WRITES) === 0) return undefined;
  if ((folderMode & STICKY) === 0)
    return `${path} can be replaced by everybody who can write its folder (mode ${(folderMode & 0o777).toString(8)}); run: chmod o-w on the folder`;
  return uid === user || uid === ROOT
    ? undefined
    : `${path} belongs to user ${uid}, in a folder that everybody can write; put it into a folder of your own`;
}
