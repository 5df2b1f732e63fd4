import type { DatabaseSync } from 'node:sqlite';

/** A database that a thread works on. */
export interface ThreadDatabase {
  readonly database: DatabaseSync;
  /** True if it was opened for reading; writing needs another connection. */
  readonly forReading: boolean;
  /**
   * Deletes some of what had expired by `horizon`, in a short transaction of its own.
   *
   * @param horizon seconds since 1970; 0: only short-lived data
   * @returns whether there may be more to delete
   */
  purge(horizon: number): boolean;
}
