import type { DatabaseSync } from 'node:sqlite';

/** A database that a thread works on. */
export interface ThreadDatabase {
  readonly database: DatabaseSync;
  /** It was opened for reading; another one has to be opened to write. */
  readonly forReading: boolean;
  /**
   * Deletes some of what had expired by then, in a transaction of its own, which is short.
   *
   * @param horizon seconds since 1970; 0: nothing, but what is short-lived
   * @returns whether there may be more of it
   */
  purge(horizon: number): boolean;
}
