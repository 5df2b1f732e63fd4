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
  private readonly database: DatabaseSync;
  private readonly prepared = new Map<string, StatementSync>();

  /** @param database holds {@link SESSION_SCHEMA}; a database that cannot be written may lack it */
  constructor(database: DatabaseSync) {
    this.database = database;
  }

  putSession(owner: string, session: SessionRecord): readonly SessionRecord[] {
    const { sid, createdAt, usedAt, expiresAt, clientId, userAgent, network } = session;
    const optional = [clientId, userAgent, network].map((value) => value ?? null);
    this.statement(
      `INSERT OR REPLACE INTO session
        (owner, sid, created_at, used_at, expires_at, client_id, user_agent, network)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(owner, sid, createdAt, usedAt, expiresAt, ...optional);
    return this.listSessions(owner);
  }

  listSessions(owner: string): readonly SessionRecord[] {
    const rows = this.statement('SELECT * FROM session WHERE owner = ?').all(owner);
    return inOrder((rows as unknown as Row[]).map(toRecord), epochSeconds());
  }

  /** Counts in the index alone, and no further than `limit`. */
  countSessions(limit: number): number {
    const row = this.statement(
      `SELECT count(*) AS count FROM
        (SELECT 1 FROM session INDEXED BY session_expiry WHERE expires_at > ? LIMIT ?)`,
    ).get(epochSeconds(), limit);
    return Number(row?.count);
  }

  removeSessions(owner: string, sids: readonly string[]): void {
    const remove = this.statement('DELETE FROM session WHERE owner = ? AND sid = ?');
    for (const sid of sids) remove.run(owner, sid);
  }

  /** True if there is something to delete for {@link purge}. */
  isPurgeDue(now: number): boolean {
    return (
      this.statement('SELECT 1 FROM session WHERE expires_at <= ? LIMIT 1').get(now) !== undefined
    );
  }

  /** Deletes sessions that had expired by `horizon`. @returns how many; `limit` if there may be more */
  purge(horizon: number, limit: number): number {
    const { changes } = this.statement(
      `DELETE FROM session WHERE (owner, sid) IN
        (SELECT owner, sid FROM session WHERE expires_at <= ? LIMIT ?)`,
    ).run(horizon, limit);
    return Number(changes);
  }

  private statement(sql: string): StatementSync {
    let statement = this.prepared.get(sql);
    if (statement === undefined) this.prepared.set(sql, (statement = this.database.prepare(sql)));
    return statement;
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
