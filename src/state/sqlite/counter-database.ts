import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { steadyMs } from '../clock-record.js';
import type { Hits } from '../state-store.js';
import { epochSeconds } from '../../core/time/index.js';
import { openDatabase } from './open-database.js';
import type { CounterOperations } from './protocol.js';
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

/**
 * Counters and short-lived values that the processes of a machine share. They may be lost in a power failure, so no
 * transaction waits for the disk. Counters go by the monotonic clock: a window that ends later than a new one is from
 * before a restart of the machine. Values expire by the wall clock, like the tokens that they are about.
 */
export class CounterDatabase implements ThreadDatabase, CounterOperations {
  readonly database: DatabaseSync;
  readonly forReading = false;
  private readonly count: StatementSync;
  private readonly drop: StatementSync;
  private readonly put: StatementSync;
  private readonly get: StatementSync;
  private readonly forget: StatementSync;

  /** @throws Error when the file cannot be used */
  constructor(file: string) {
    this.database = openDatabase(file, 'NORMAL');
    this.database.exec(SCHEMA);
    this.count = this.database.prepare(`
      INSERT INTO counter (key, hits, ends_at) VALUES (?1, 1, ?2 + ?3)
      ON CONFLICT (key) DO UPDATE SET
        hits = iif(ends_at > ?2 AND ends_at <= ?2 + ?3, hits + 1, 1),
        ends_at = iif(ends_at > ?2 AND ends_at <= ?2 + ?3, ends_at, ?2 + ?3)
      RETURNING hits, ends_at`);
    this.drop = this.database.prepare('DELETE FROM counter WHERE ends_at <= ?');
    this.put = this.database.prepare(`
      INSERT INTO kept (name, value, ends_at) VALUES (?1, ?2, ?3 + ?4)
      ON CONFLICT (name) DO UPDATE SET value = ?2, ends_at = ?3 + ?4 WHERE ends_at <= ?3`);
    this.get = this.database.prepare('SELECT value FROM kept WHERE name = ? AND ends_at > ?');
    this.forget = this.database.prepare('DELETE FROM kept WHERE ends_at <= ?');
  }

  putIfAbsent(name: string, value: string, ttlMs: number): string {
    const time = epochSeconds();
    this.put.run(name, value, time, ttlMs / 1000);
    return this.look(name, time) ?? value;
  }

  getKept(name: string): string | undefined {
    return this.look(name, epochSeconds());
  }

  hit(key: string, windowMs: number): Hits {
    const time = steadyMs();
    const row = this.count.get(key, time, windowMs) as { hits: number; ends_at: number };
    return { hits: row.hits, resetMs: row.ends_at - time };
  }

  private look(name: string, time: number): string | undefined {
    return (this.get.get(name, time) as { value: string } | undefined)?.value;
  }

  /** Values are short-lived and need no safety margin. While the clock may be wrong (0), only counters are deleted. */
  purge(horizon: number): boolean {
    this.drop.run(steadyMs());
    if (horizon > 0) this.forget.run(epochSeconds());
    return false;
  }
}
