import type { DatabaseSync } from 'node:sqlite';

/** A database that a thread works on. */
export interface ThreadDatabase {
  readonly database: DatabaseSync;
  /** Deletes what has expired, in a transaction of its own. */
  purge(): void;
}
