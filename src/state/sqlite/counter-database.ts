import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Hits } from '../state-store.js';
import { openDatabase } from './open-database.js';
import type { CounterOperations } from './protocol.js';
import type { ThreadDatabase } from './thread-database.js';

const SCHEMA = `CREATE TABLE IF NOT EXISTS counter (
  key TEXT PRIMARY KEY, hits INTEGER NOT NULL, ends_at REAL NOT NULL
) WITHOUT ROWID`;

/** Milliseconds of a clock that all processes of the machine share and nobody sets. */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/**
 * Counters that the processes of a machine share. They may be lost with the machine, so nothing
 * waits for the disk. A window that ends later than it could is left over from before a restart of
 * the machine.
 */
export class CounterDatabase implements ThreadDatabase, CounterOperations {
  readonly database: DatabaseSync;
  private readonly count: StatementSync;
  private readonly drop: StatementSync;

  /** @throws Error when the file cannot be used */
  constructor(file: string) {
    this.database = openDatabase(file, 'OFF');
    this.database.exec(SCHEMA);
    this.count = this.database.prepare(`
      INSERT INTO counter (key, hits, ends_at) VALUES (?1, 1, ?2 + ?3)
      ON CONFLICT (key) DO UPDATE SET
        hits = iif(ends_at > ?2 AND ends_at <= ?2 + ?3, hits + 1, 1),
        ends_at = iif(ends_at > ?2 AND ends_at <= ?2 + ?3, ends_at, ?2 + ?3)
      RETURNING hits, ends_at`);
    this.drop = this.database.prepare('DELETE FROM counter WHERE ends_at <= ?');
  }

  hit(key: string, windowMs: number): Hits {
    const time = now();
    const row = this.count.get(key, time, windowMs) as { hits: number; ends_at: number };
    return { hits: row.hits, resetMs: row.ends_at - time };
  }

  purge(): void {
    this.drop.run(now());
  }
}
