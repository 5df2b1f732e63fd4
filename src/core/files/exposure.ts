import type { Stats } from 'node:fs';

/** Mode bits with which everybody can read a file, or users other than its owner can write it. */
const EXPOSED_MODE = 0o026;
const EVERYBODY_WRITES = 0o002;
/** Mode bit of a folder in which users can neither remove nor rename the files of other users. */
const STICKY = 0o1000;
const ROOT = 0;

/** What decides who can read, change or replace a file. */
export interface FileAccess {
  /** Type and permissions of the file, as stat(2) returns them. */
  readonly mode: number;
  /** User id of the owner. */
  readonly uid: number;
  /** Type and permissions of the folder that contains the file. */
  readonly folderMode: number;
  /** Owner and folder of the symbolic link, if the path is one: a link can be replaced, too. */
  readonly link?: Pick<FileAccess, 'uid' | 'folderMode'>;
}

/** True for permissions with which other users can read or change a file. Members of the group may read. */
export const isExposed = (mode: number): boolean => (mode & EXPOSED_MODE) !== 0;

/** Returns what {@link describeExposure} needs, from stat(2) of a file and of its folder. */
export const accessOf = ({ mode, uid }: Stats, folder: Stats): FileAccess => ({
  mode,
  uid,
  folderMode: folder.mode,
});

/**
 * Describes how other users can read, change or replace a file with secrets, and how to prevent it.
 *
 * @param path name of the file in the message
 * @param user id of the user that the process runs as; default: that of this process
 * @returns `undefined` when no other user can, and on Windows, where the mode does not tell
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
