import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError } from '../core/files/index.js';
import { CommandError } from './command.error.js';

const RETRY_MS = 50;
const PATIENCE_MS = 10_000;
/** Age of a stale lock, in milliseconds. No command holds a lock that long, so its process was killed. */
const STALE_MS = 60_000;

/** Runs `work`, and meanwhile shows what takes so long. */
export type During = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/**
 * Runs `work` while no other command can change the file, so that no command undoes the change of another.
 *
 * @param path the file. The lock is `<path>.lock` beside it
 * @throws CommandError when another command holds the lock for ten seconds, FileError when the folder cannot be written
 * to
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
    // Another process may have taken over the lock in the meantime.
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
