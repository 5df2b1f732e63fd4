/** A session, with what helps its user to recognize it. Times are in seconds since 1970. */
export interface SessionRecord {
  /** The name by which it is revoked; see `sessionName`. */
  readonly sid: string;
  /** Time of the login. */
  readonly createdAt: number;
  /** Time of the login or the last refresh. */
  readonly usedAt: number;
  /** From this time on none of its tokens is valid, and the record is deleted. */
  readonly expiresAt: number;
  readonly clientId?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Network of the last use; the address itself is not stored. */
  readonly network?: string | undefined;
}

/** The part of a store that keeps the sessions. */
export interface SessionRecords {
  /**
   * Stores a session, or replaces its record.
   *
   * @param owner a digest that stands for the user; stores write it into the names of keys
   * @returns all sessions of the owner that have not expired, the oldest login first
   */
  putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]>;
  /** All sessions of an owner that have not expired, the oldest login first. */
  listSessions(owner: string): Promise<readonly SessionRecord[]>;
  /** Removes sessions; those that do not exist are ignored. */
  removeSessions(owner: string, sids: readonly string[]): Promise<void>;
  /**
   * Counts the sessions of all users that have not expired, up to `limit`. A store that would have to read them all
   * leaves this method out.
   */
  countSessions?(limit: number): Promise<number>;
}

/** Returns the sessions that have not expired, the oldest login first. */
export const inOrder = (sessions: Iterable<SessionRecord>, now: number): readonly SessionRecord[] =>
  [...sessions]
    .filter(({ expiresAt }) => expiresAt > now)
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.sid < b.sid ? -1 : 1));
