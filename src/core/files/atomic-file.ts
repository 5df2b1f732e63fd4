import { randomBytes } from 'node:crypto';
import { constants, mkdirSync, statSync } from 'node:fs';
import { copyFile, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withoutMark } from '../json/index.js';
import { isExposed } from './exposure.js';
import { FileError } from './read-file.js';

const OWNER_ONLY = 0o600;

/** Permissions, owner and group of a file. */
interface Ownership {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Creates a file with mode 0600, and its folder with mode 0700. No process ever sees the file half written. Of
 * several processes that create it at the same time, one succeeds.
 *
 * @throws FileError with code `EEXIST` when the file exists already; it is not changed
 */
export const createFile = (path: string, text: string): Promise<void> =>
  withFileErrors(path, async () => {
    try {
      makeFolder(dirname(path), 0o700);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The code is left out: EEXIST would mean that the file itself exists.
      throw new FileError(path, `its folder cannot be created (${code})`);
    }
    await viaTemporary(path, text, { mode: OWNER_ONLY }, async (temporary) => {
      // Unlike rename, link never replaces a file. Not every file system supports it.
      await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') throw error;
        return copyFile(temporary, path, constants.COPYFILE_EXCL);
      });
      await rm(temporary);
    });
  });

/**
 * Replaces a file atomically. Owner, group and mode are kept, so that a process that could read the file before
 * still can. A mode that exposes the file becomes 0600.
 *
 * @param expected the contents from which the new contents were made
 * @throws FileError when the file has other contents by now, or when its owner cannot be kept
 */
export const replaceFile = (path: string, text: string, expected: string): Promise<void> =>
  withFileErrors(path, async () => {
    const { mode, uid, gid } = await stat(path);
    const kept = isExposed(mode) ? OWNER_ONLY : mode & 0o777;
    await viaTemporary(path, text, { mode: kept, uid, gid }, async (temporary) => {
      if (withoutMark(await readFile(path, 'utf8')) !== expected)
        throw new FileError(path, 'was changed by another process meanwhile; try again');
      await rename(temporary, path);
    });
  });

async function viaTemporary(
  path: string,
  text: string,
  ownership: Ownership,
  publish: (temporary: string) => Promise<void>,
): Promise<void> {
  const name = `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`;
  const temporary = join(dirname(path), name);
  try {
    await writeDurably(temporary, text, ownership, path);
    await publish(temporary);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeDurably(
  temporary: string,
  text: string,
  { mode, uid, gid }: Ownership,
  path: string,
): Promise<void> {
  const handle = await open(temporary, 'wx', OWNER_ONLY);
  try {
    const made = await handle.stat();
    if (uid !== undefined && gid !== undefined && (made.uid !== uid || made.gid !== gid))
      await handle.chown(uid, gid).catch(() => {
        throw new FileError(
          path,
          `belongs to user ${uid}, group ${gid}; run the command as that user`,
        );
      });
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Flushes a folder, so that a new name in it survives a power failure. Not every system supports this. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function withFileErrors(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof FileError || code === undefined) throw error;
    if (code === 'EEXIST') throw new FileError(path, 'exists already and is not overwritten', code);
    const hint = code === 'EBUSY' ? '; mount its folder instead of the file' : '';
    throw new FileError(path, `cannot be written (${code})${hint}`, code);
  }
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Creates a folder, and those above it that are missing. `mkdir` with `recursive` never ends where nothing can be
 * created and the reason is `ENOENT`, as in `/proc`.
 *
 * @param mode of each folder that is created
 * @throws Error with the code of the first folder that cannot be created
 */
export function makeFolder(path: string, mode: number): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!isFolder(path)) throw error;
  }
}
