import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { epochSeconds } from '../../core/time/index.js';
import { inOrder, type SessionRecord } from '../session-records.js';

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
  private readonly put: StatementSync;
  private readonly all: StatementSync;
  private readonly delete: StatementSync;
  private readonly isDue: StatementSync;
  private readonly deleteExpired: StatementSync;

  /** @param database holds {@link SESSION_SCHEMA} */
  constructor(database: DatabaseSync) {
    this.put = database.prepare('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.all = database.prepare('SELECT * FROM session WHERE owner = ?');
    this.delete = database.prepare('DELETE FROM session WHERE owner = ? AND sid = ?');
    this.isDue = database.prepare('SELECT 1 FROM session WHERE expires_at <= ? LIMIT 1');
    this.deleteExpired = database.prepare('DELETE FROM session WHERE expires_at <= ?');
  }

  putSession(owner: string, session: SessionRecord): readonly SessionRecord[] {
    const { sid, createdAt, usedAt, expiresAt, clientId, userAgent, network } = session;
    const optional = [clientId, userAgent, network].map((value) => value ?? null);
    this.put.run(owner, sid, createdAt, usedAt, expiresAt, ...optional);
    return this.listSessions(owner);
  }

  listSessions(owner: string): readonly SessionRecord[] {
    const rows = this.all.all(owner) as unknown as Row[];
    return inOrder(rows.map(toRecord), epochSeconds());
  }

  removeSessions(owner: string, sids: readonly string[]): void {
    for (const sid of sids) this.delete.run(owner, sid);
  }

  /** Whether there is something for {@link purge}. */
  isPurgeDue(now: number): boolean {
    return this.isDue.get(now) !== undefined;
  }

  /** Deletes what has expired. */
  purge(now: number): void {
    this.deleteExpired.run(now);
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
