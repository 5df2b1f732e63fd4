import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError } from '../core/files/index.js';
import { CommandError } from './command.error.js';

const RETRY_MS = 50;
const PATIENCE_MS = 10_000;
/** No command holds the lock that long; a lock this old belongs to a process that was killed. */
const STALE_MS = 60_000;

/** Tells somebody what takes so long, while it does. */
export type During = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/**
 * Lets one command at a time read, change and write a file, so that none undoes the other's change.
 *
 * @param path the file; the lock is `<path>.lock` beside it
 * @throws CommandError when another command holds the lock for ten seconds, FileError when the folder
 * cannot be written to
 */
export async function withLock(
  path: string,
  work: () => Promise<void>,
  during: During,
): Promise<void> {
  const lock = `${path}.lock`;
  const owner = randomUUID();
  await during(`waiting for another command that changes ${path}`, () =>
    acquire(lock, owner, path),
  );
  try {
    await work();
  } finally {
    // Not if somebody has taken it over meanwhile.
    if ((await readFile(lock, 'utf8').catch(() => '')) === owner) await rm(lock, { force: true });
  }
}

async function acquire(lock: string, owner: string, path: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await writeFile(lock, owner, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new FileError(path, `cannot be written (${code})`, code);
    }
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE_MS) await rm(lock, { force: true });
    else if (Date.now() > deadline)
      throw new CommandError(
        `another command is changing ${path}; if there is none, remove ${lock}`,
      );
    else await sleep(RETRY_MS);
  }
}
