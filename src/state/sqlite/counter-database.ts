import type { DatabaseSync } from 'node:sqlite';
import { steadyMs } from '../clock-record.js';
import type { Hits } from '../state-store.js';
import { epochSeconds } from '../../core/time/index.js';
import { openDatabase } from './open-database.js';
import type { CounterOperations } from './protocol.js';
import { PreparedStatements } from './prepared-statements.js';
import type { ThreadDatabase } from './thread-database.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS counter (
    key TEXT PRIMARY KEY, hits INTEGER NOT NULL, ends_at REAL NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS kept (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, ends_at REAL NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS kept_end ON kept (ends_at);
`;

const COUNT = `
  INSERT INTO counter (key, hits, ends_at) VALUES (?1, 1, ?2 + ?3)
  ON CONFLICT (key) DO UPDATE SET
    hits = iif(ends_at > ?2 AND ends_at <= ?2 + ?3, hits + 1, 1),
    ends_at = iif(ends_at > ?2 AND ends_at <= ?2 + ?3, ends_at, ?2 + ?3)
  RETURNING hits, ends_at`;
const PUT = `
  INSERT INTO kept (name, value, ends_at) VALUES (?1, ?2, ?3 + ?4)
  ON CONFLICT (name) DO UPDATE SET value = ?2, ends_at = ?3 + ?4 WHERE ends_at <= ?3`;

/**
 * Counters and short-lived values that the processes of a machine share. They may be lost in a power failure, so no
 * transaction waits for the disk. Counters go by the monotonic clock: a window that ends later than a new one is from
 * before a restart of the machine. Values expire by the wall clock, like the tokens that they are about.
 */
export class CounterDatabase implements ThreadDatabase, CounterOperations {
  readonly database: DatabaseSync;
  readonly forReading = false;
  private readonly statements: PreparedStatements;

  /** @throws Error when the file cannot be used */
  constructor(file: string) {
    this.database = openDatabase(file, 'NORMAL');
    this.database.exec(SCHEMA);
    this.statements = new PreparedStatements(this.database);
  }

  putIfAbsent(name: string, value: string, ttlMs: number): string {
    const time = epochSeconds();
    this.statements.run(PUT, [name, value, time, ttlMs / 1000]);
    return this.look(name, time) ?? value;
  }

  getKept(name: string): string | undefined {
    return this.look(name, epochSeconds());
  }

  hit(key: string, windowMs: number): Hits {
    const time = steadyMs();
    const row = this.statements.get(COUNT, [key, time, windowMs]);
    return { hits: Number(row?.hits), resetMs: Number(row?.ends_at) - time };
  }

  private look(name: string, time: number): string | undefined {
    const kept = 'SELECT value FROM kept WHERE name = ? AND ends_at > ?';
    return this.statements.get(kept, [name, time])?.value as string | undefined;
  }

  /** Values are short-lived and need no safety margin. While the clock may be wrong (0), only counters are deleted. */
  purge(horizon: number): boolean {
    this.statements.run('DELETE FROM counter WHERE ends_at <= ?', [steadyMs()]);
    if (horizon > 0) this.statements.run('DELETE FROM kept WHERE ends_at <= ?', [epochSeconds()]);
    return false;
  }
}
