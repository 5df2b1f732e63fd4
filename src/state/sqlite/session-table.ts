import { epochSeconds } from '../../core/time/index.js';
import { inOrder, type SessionRecord } from '../session-records.js';
import type { PreparedStatements } from './prepared-statements.js';

/** Part of the schema of the state database. */
export const SESSION_SCHEMA = `
  CREATE TABLE IF NOT EXISTS session (
    owner TEXT NOT NULL,
    sid TEXT NOT NULL,
    created_at REAL NOT NULL,
    used_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    client_id TEXT,
    user_agent TEXT,
    network TEXT,
    PRIMARY KEY (owner, sid)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS session_expiry ON session (expires_at);
`;

/** The sessions of a state database. Every method runs inside of a transaction of the thread. */
export class SessionTable {
  private readonly statements: PreparedStatements;

  /** @param statements of a database that holds {@link SESSION_SCHEMA}; one that cannot be written may lack it */
  constructor(statements: PreparedStatements) {
    this.statements = statements;
  }

  putSession(owner: string, session: SessionRecord): readonly SessionRecord[] {
    const { sid, createdAt, usedAt, expiresAt, clientId, userAgent, network } = session;
    const optional = [clientId, userAgent, network].map((value) => value ?? null);
    this.statements.run(
      `INSERT OR REPLACE INTO session
        (owner, sid, created_at, used_at, expires_at, client_id, user_agent, network)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      [owner, sid, createdAt, usedAt, expiresAt, ...optional],
    );
    return this.listSessions(owner);
  }

  listSessions(owner: string): readonly SessionRecord[] {
    const rows = this.statements.all('SELECT * FROM session WHERE owner = ?', [owner]);
    return inOrder((rows as unknown as Row[]).map(toRecord), epochSeconds());
  }

  /** Counts in the index alone, and no further than `limit`. */
  countSessions(limit: number): number {
    const row = this.statements.get(
      `SELECT count(*) AS count FROM
        (SELECT 1 FROM session INDEXED BY session_expiry WHERE expires_at > ? LIMIT ?)`,
      [epochSeconds(), limit],
    );
    return Number(row?.count);
  }

  removeSessions(owner: string, sids: readonly string[]): void {
    for (const sid of sids)
      this.statements.run('DELETE FROM session WHERE owner = ? AND sid = ?', [owner, sid]);
  }

  /** True if there is something to delete for {@link purge}. */
  isPurgeDue(now: number): boolean {
    const due = 'SELECT 1 FROM session WHERE expires_at <= ? LIMIT 1';
    return this.statements.get(due, [now]) !== undefined;
  }

  /** Deletes sessions that had expired by `horizon`. @returns how many; `limit` if there may be more */
  purge(horizon: number, limit: number): number {
    return this.statements.run(
      `DELETE FROM session WHERE (owner, sid) IN
        (SELECT owner, sid FROM session WHERE expires_at <= ? LIMIT ?)`,
      [horizon, limit],
    );
  }
}

interface Row {
  sid: string;
  created_at: number;
  used_at: number;
  expires_at: number;
  client_id: string | null;
  user_agent: string | null;
  network: string | null;
}

const toRecord = (row: Row): SessionRecord => ({
  sid: row.sid,
  createdAt: row.created_at,
  usedAt: row.used_at,
  expiresAt: row.expires_at,
  ...(row.client_id === null ? {} : { clientId: row.client_id }),
  ...(row.user_agent === null ? {} : { userAgent: row.user_agent }),
  ...(row.network === null ? {} : { network: row.network }),
});
