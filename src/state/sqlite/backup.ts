import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { syncFolder } from '../../core/files/index.js';
import type { Revocation } from '../../core/revocation/index.js';
import { assertReadable } from '../schema.js';
import { openForReading, transaction } from './open-database.js';
import { StateDatabase } from './state-database.js';

/** Rows per transaction, and the pause after each, in milliseconds, in which waiting gateways get their turn. */
const ROWS = 1000;
const PAUSE_MS = 5;

/** What a backup holds. */
export interface BackupContents {
  readonly revocations: number;
  readonly usedTokens: number;
  readonly sessions: number;
}

/**
 * Writes what a database holds at one moment into a file of mode 0600, which replaces an existing one. Gateways go on
 * using the database meanwhile.
 *
 * @throws Error when there is no database, or the file cannot be written
 */
export async function writeBackup(file: string, target: string): Promise<BackupContents> {
  if (!existsSync(file)) throw new Error('the store has no file yet');
  const temporary = `${target}.${process.pid}.tmp`;
  const database = openForReading(file);
  try {
    closeSync(openSync(temporary, 'wx', 0o600));
    database.prepare('VACUUM INTO ?').run(temporary);
    const made = openBackup(temporary);
    const contents = contentsOf(made);
    made.close();
    syncFile(temporary);
    renameSync(temporary, target);
    await syncFolder(dirname(target));
    return contents;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    database.close();
  }
}

/**
 * Adds to a database what it lacks of a backup; the database and its folder are created if they do not exist. Nothing
 * that the database has is changed, and gateways go on using it: for a running gateway, the added revocations are new
 * ones. A gateway that starts meanwhile is not ready before the end.
 *
 * @throws Error when the file is no backup, is damaged, or is from a version that is too new
 */
export async function addBackup(file: string, source: string): Promise<BackupContents> {
  const backup = openBackup(source);
  try {
    const contents = contentsOf(backup);
    const state = new StateDatabase(file);
    try {
      await addRevocations(state, backup);
      await addRows(state, backup, 'consumed', ['jti', 'expires_at']);
      await addRows(state, backup, 'session', SESSION_COLUMNS);
      const latest = backup.prepare("SELECT value FROM meta WHERE name = 'latest_expiry'").get();
      transaction(state.database, () => state.noteExpiry(Number(latest?.value ?? 0)));
    } finally {
      state.database.close();
    }
    return contents;
  } finally {
    backup.close();
  }
}

const SESSION_COLUMNS = [
  'owner',
  'sid',
  'created_at',
  'used_at',
  'expires_at',
  'client_id',
  'user_agent',
  'network',
];

/** Opens a backup. Nothing writes to it, so it is read without the files that SQLite keeps beside a database. */
function openBackup(source: string): DatabaseSync {
  if (!existsSync(source)) throw new Error(`${source}: there is no such file`);
  if ((statSync(`${source}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0)
    throw new Error(
      `${source}: it was not written to its end, as the file ${source}-wal beside it says; use what "signet state backup" writes`,
    );
  const url = pathToFileURL(resolve(source));
  url.search = '?immutable=1';
  const backup = new DatabaseSync(url, { readOnly: true });
  try {
    const [check] = backup.prepare('PRAGMA quick_check(1)').all();
    if (check?.quick_check !== 'ok') throw new Error('it is damaged');
    if (!hasTable(backup, 'revocation') || !hasTable(backup, 'meta'))
      throw new Error('it is no state of Signet');
    const schema = backup.prepare("SELECT value FROM meta WHERE name = 'schema'").get();
    assertReadable(schema?.value);
    return backup;
  } catch (error) {
    backup.close();
    throw new Error(`${source}: ${error instanceof Error ? error.message : 'it cannot be read'}`, {
      cause: error,
    });
  }
}

const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !==
  undefined;

function contentsOf(database: DatabaseSync): BackupContents {
  const count = (table: string, condition = 'true'): number =>
    hasTable(database, table)
      ? Number(
          database.prepare(`SELECT count(*) AS count FROM ${table} WHERE ${condition}`).get()
            ?.count,
        )
      : 0;
  return {
    revocations: count('revocation', 'removed_from IS NULL'),
    usedTokens: count('consumed'),
    sessions: count('session'),
  };
}

async function addRevocations(state: StateDatabase, backup: DatabaseSync): Promise<void> {
  const page = backup.prepare(
    `SELECT version, id, kind, value, before, reason, created_at AS createdAt, expires_at AS expiresAt
      FROM revocation WHERE version > ? AND removed_from IS NULL ORDER BY version LIMIT ${ROWS}`,
  );
  let rows = page.all(0) as unknown as (Revocation & { version: number })[];
  while (rows.length > 0) {
    const added = rows;
    transaction(state.database, () => state.restore(added));
    await pause(PAUSE_MS);
    rows = page.all(rows.at(-1)?.version ?? 0) as unknown as typeof rows;
  }
}

/** Adds the rows of a table whose keys are not there yet. */
async function addRows(
  state: StateDatabase,
  backup: DatabaseSync,
  table: string,
  columns: readonly string[],
): Promise<void> {
  if (!hasTable(backup, table)) return;
  const add = state.database.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  let batch: (string | number | null)[][] = [];
  const flush = async (): Promise<void> => {
    const rows = batch;
    batch = [];
    transaction(state.database, () => {
      // Keeps the store incomplete, so that a gateway that starts waits for the rest.
      state.restore([]);
      for (const row of rows) add.run(...row);
    });
    await pause(PAUSE_MS);
  };
  for (const row of backup.prepare(`SELECT ${columns.join(', ')} FROM ${table}`).iterate()) {
    batch.push(columns.map((column) => row[column] as string | number | null));
    if (batch.length === ROWS) await flush();
  }
  if (batch.length > 0) await flush();
}

/** Flushes a file to the disk, so that it survives a power failure. */
function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
