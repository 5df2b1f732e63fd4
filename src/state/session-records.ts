/** A session, as its user recognizes it. Times in seconds since 1970. */
export interface SessionRecord {
  /** As it is revoked by; see `sessionName`. */
  readonly sid: string;
  /** The login. */
  readonly createdAt: number;
  /** The login or the last refresh. */
  readonly usedAt: number;
  /** From then on no token of it is good, and the record is forgotten. */
  readonly expiresAt: number;
  readonly clientId?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Where it was used last: the network, not the address. */
  readonly network?: string | undefined;
}

/** The part of a store that remembers which sessions there are. */
export interface SessionRecords {
  /**
   * Remembers a session, in place of what was known of it before.
   *
   * @param owner names the user; the stores write it into names of keys, so it has to be a digest
   * @returns all sessions of the owner that have not expired, the oldest login first
   */
  putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]>;
  /** All sessions of an owner that have not expired, the oldest login first. */
  listSessions(owner: string): Promise<readonly SessionRecord[]>;
  /** Forgets sessions; those that are not there, too. */
  removeSessions(owner: string, sids: readonly string[]): Promise<void>;
  /**
   * How many sessions of all users have not expired, without counting further than `limit`. Left out by a store that
   * would have to read them all.
   */
  countSessions?(limit: number): Promise<number>;
}

/** What a store shows of the sessions that it holds. */
export const inOrder = (sessions: Iterable<SessionRecord>, now: number): readonly SessionRecord[] =>
  [...sessions]
    .filter(({ expiresAt }) => expiresAt > now)
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.sid < b.sid ? -1 : 1));
