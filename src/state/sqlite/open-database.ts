import { closeSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { makeFolder } from '../../core/files/index.js';

/** Longest wait for the write lock of another process, in milliseconds. */
const BUSY_MS = 2000;
const RETRY_MS = 20;

/**
 * Opens a database in WAL mode. Creates the file and its directory if they are missing, accessible to the owner only.
 *
 * @param synchronous `FULL`: committed transactions survive a power failure; `NORMAL`: the file survives it, but the
 * last transactions may be lost; only the few checkpoints wait for the disk
 */
export function openDatabase(file: string, synchronous: 'FULL' | 'NORMAL'): DatabaseSync {
  makeFolder(dirname(file), 0o700);
  // SQLite gives its -wal and -shm files the mode of this file.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    // If another process does the same, SQLite fails at once instead of waiting.
    retryWhileLocked(() => database.exec('PRAGMA journal_mode = WAL'));
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    // Without this, macOS leaves flushed data in the disk's cache.
    database.exec('PRAGMA fullfsync = ON');
    // Overwrites deleted data, which may have been a credential.
    database.exec('PRAGMA secure_delete = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens an existing database for reading only, if its file or folder cannot be written, or the disk is full.
 * What other processes write later may not be visible through it.
 *
 * @throws Error when it cannot be read
 */
export function openForReading(file: string): DatabaseSync {
  try {
    return readable(file);
  } catch (error) {
    // SQLite cannot create its -shm file. Without one, it can read a -wal file that no other process writes to.
    const url = pathToFileURL(resolve(file));
    const left = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
    if (left && process.platform === 'win32') throw error;
    url.search = left ? '?vfs=unix-none' : '?immutable=1';
    return readable(url, left ? 'PRAGMA locking_mode = EXCLUSIVE' : '');
  }
}

function readable(place: string | URL, setting = ''): DatabaseSync {
  const database = new DatabaseSync(place, { timeout: BUSY_MS, readOnly: true });
  try {
    database.exec(setting);
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Primary result codes with which SQLite refuses a write: SQLITE_READONLY, SQLITE_FULL. */
const REFUSED = new Set([8, 13]);
/** Extended codes of its I/O errors with the same meaning: WRITE, FSYNC, DIR_FSYNC, TRUNCATE, SHMSIZE. */
const REFUSED_IO = new Set([778, 1034, 1290, 1546, 4874]);

/** True if SQLite refused to write, but can still read. */
export function isWriteRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  return REFUSED.has(code & 0xff) || REFUSED_IO.has(code);
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
