import type { DatabaseSync } from 'node:sqlite';

/** A database that a thread works on. */
export interface ThreadDatabase {
  readonly database: DatabaseSync;
  /** It was opened for reading; another one has to be opened to write. */
  readonly forReading: boolean;
  /** Deletes what has expired, in a transaction of its own. */
  purge(): void;
}
