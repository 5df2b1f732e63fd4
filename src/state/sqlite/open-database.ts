import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process may hold the write lock for so long. */
const BUSY_MS = 2000;
const RETRY_MS = 20;

/**
 * Opens a database in WAL mode and creates file and directory where they are missing, for the
 * owner's eyes only.
 *
 * @param synchronous `FULL`: what was committed survives a power failure; `NORMAL`: the file does, but the
 * last transactions may be lost, and only the few checkpoints wait for the disk
 */
export function openDatabase(file: string, synchronous: 'FULL' | 'NORMAL'): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // SQLite gives its -wal and -shm files the mode of this one.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    // Against a process that does the same, SQLite gives up at once instead of waiting.
    retryWhileLocked(() => database.exec('PRAGMA journal_mode = WAL'));
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    // Without it macOS leaves in the disk's cache what it was told to write.
    database.exec('PRAGMA fullfsync = ON');
    // What is deleted may have been a credential.
    database.exec('PRAGMA secure_delete = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function retryWhileLocked(step: () => void): void {
  const deadline = performance.now() + BUSY_MS;
  for (;;)
    try {
      step();
      return;
    } catch (error) {
      if (!/locked|busy/i.test(String(error)) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
}

/** Runs `step` as one transaction that may write. */
export function transaction<Result>(database: DatabaseSync, step: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = step();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
