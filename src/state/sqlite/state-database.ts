import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { followClock, latestTime, type ClockRecord } from '../clock-record.js';
import {
  comparedTime,
  type Revocation,
  type RevocationSubject,
} from '../../core/revocation/index.js';
import type { SessionRecord } from '../session-records.js';
import {
  RESTORE_SECONDS,
  TOMBSTONE_SECONDS,
  type RefreshOutcome,
  type RefreshUse,
  type Replay,
  type RevocationChanges,
} from '../state-store.js';
import { assertReadable, SCHEMA as SCHEMA_NUMBER } from '../schema.js';
import { openDatabase, openForReading, transaction } from './open-database.js';
import type { StateOperations } from './protocol.js';
import { SESSION_SCHEMA, SessionTable } from './session-table.js';
import { PreparedStatements } from './prepared-statements.js';
import type { ThreadDatabase } from './thread-database.js';
import { epochSeconds } from '../../core/time/index.js';

/**
 * AUTOINCREMENT never assigns a version twice. SQLite allows one writer at a time, so that versions are in the order of
 * the commits.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS revocation (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    before REAL,
    reason TEXT,
    created_at REAL NOT NULL,
    expires_at REAL,
    removed_from INTEGER
  );
  CREATE INDEX IF NOT EXISTS revocation_subject ON revocation (kind, value);
  CREATE INDEX IF NOT EXISTS revocation_expiry ON revocation (expires_at) WHERE expires_at IS NOT NULL;
  -- jti: the id of a use. Named so by version 0.1.
  CREATE TABLE IF NOT EXISTS consumed (
    jti TEXT PRIMARY KEY,
    expires_at REAL NOT NULL,
    replay TEXT,
    replay_until REAL,
    nonce TEXT
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS consumed_expiry ON consumed (expires_at);
  CREATE INDEX IF NOT EXISTS consumed_replay ON consumed (replay_until) WHERE replay IS NOT NULL;
`;

interface Row {
  version: number;
  id: string;
  kind: Revocation['kind'];
  value: string;
  before: number | null;
  reason: string | null;
  created_at: number;
  expires_at: number | null;
  /** The version with which a removed entry was added; `null` for an entry that is in force. */
  removed_from: number | null;
}

/** Most rows of a table that one transaction deletes; other writers wait for it. */
const PURGE_ROWS = 2000;

const COLUMNS = 'id, kind, value, before, reason, created_at, expires_at';
const ALIVE = 'removed_from IS NULL AND (expires_at IS NULL OR expires_at > ?)';

/** The durable part of the state, in SQL. Every method runs inside of a transaction of the thread. */
export class StateDatabase implements ThreadDatabase, StateOperations {
  readonly database: DatabaseSync;
  readonly forReading: boolean;
  private readonly history: string;
  private readonly sessions: SessionTable;
  private readonly statements: PreparedStatements;

  /**
   * @param forReading true for an existing file that cannot be written
   * @throws Error when the file cannot be used
   */
  constructor(file: string, forReading = false) {
    this.forReading = forReading;
    this.database = forReading ? openForReading(file) : openDatabase(file, 'FULL');
    this.statements = new PreparedStatements(this.database);
    try {
      this.history = forReading
        ? this.readHistory()
        : transaction(this.database, () => this.migrate());
      this.sessions = new SessionTable(this.statements);
    } catch (error) {
      this.database.close();
      throw error;
    }
  }

  addRevocation(revocation: Revocation, reach?: number): Revocation {
    const before = reach === undefined ? revocation.before : Math.floor(this.latestTime()) + reach;
    const added = { ...revocation, before };
    if (this.insert(added)) return added;
    const there = this.revocation('SELECT * FROM revocation WHERE id = ?', [revocation.id]);
    return there === undefined ? added : toRevocation(there);
  }

  restore(revocations: readonly Revocation[]): void {
    this.setMeta('incomplete_until', epochSeconds() + RESTORE_SECONDS);
    for (const revocation of revocations) this.insert(revocation);
  }

  removeRevocation(id: string): Revocation | undefined {
    const now = epochSeconds();
    const row = this.revocation(`SELECT * FROM revocation WHERE id = ? AND ${ALIVE}`, [id, now]);
    if (row === undefined) return undefined;
    // The row that records the removal gets a version of its own.
    this.statements.run('DELETE FROM revocation WHERE id = ?', [id]);
    this.statements.run(
      `INSERT INTO revocation (${COLUMNS}, removed_from) VALUES (?, ?, ?, ?, NULL, ?, ?, ?)`,
      [
        id,
        row.kind,
        row.value,
        row.before,
        row.created_at,
        row.expires_at ?? now + TOMBSTONE_SECONDS,
        row.version,
      ],
    );
    return toRevocation(row);
  }

  listRevocations({ after, limit }: { after?: string; limit: number }): Revocation[] {
    const last =
      after === undefined
        ? undefined
        : this.revocation('SELECT * FROM revocation WHERE id = ?', [after]);
    return this.revocations(
      `SELECT * FROM revocation WHERE version > ? AND ${ALIVE} ORDER BY version LIMIT ?`,
      [last?.removed_from ?? last?.version ?? 0, epochSeconds(), limit],
    ).map(toRevocation);
  }

  changes(cursor: string | undefined, limit: number): RevocationChanges {
    const [history, version] = (cursor ?? `${this.history} 0`).split(' ');
    const restarted = history !== this.history || Number(version) > this.latestVersion();
    const since = restarted ? 0 : Number(version);
    const rows = this.revocations(
      'SELECT * FROM revocation WHERE version > ? ORDER BY version LIMIT ?',
      [since, limit + 1],
    );
    const more = rows.length > limit;
    if (more) rows.pop();
    return {
      restarted,
      cursor: `${this.history} ${rows.at(-1)?.version ?? since}`,
      added: rows.filter(({ removed_from }) => removed_from === null).map(toRevocation),
      removed: rows
        .filter(({ removed_from }) => removed_from !== null)
        .map(({ id, kind, value }) => ({ id, kind, value })),
      more,
      ...(this.isIncomplete() ? { incomplete: true } : {}),
    };
  }

  peek(use: RefreshUse): RefreshOutcome {
    const now = epochSeconds();
    if (this.isRevoked(use.subject, now)) return { state: 'revoked' };
    // All columns, as a file of version 0.1 that can only be read has no column for the nonce.
    const consumed = this.statements.get('SELECT * FROM consumed WHERE jti = ?', [use.id]);
    if (consumed === undefined) return { state: 'fresh' };
    const { replay, replay_until: until, nonce } = consumed;
    if (use.nonce !== undefined && nonce === use.nonce) return { state: 'fresh' };
    return typeof replay === 'string' && Number(until) > now * 1000
      ? { state: 'consumed', replay }
      : { state: 'consumed' };
  }

  consume(use: RefreshUse, replay: Replay | undefined): RefreshOutcome {
    const outcome = this.peek(use);
    const left = replay !== undefined && replay.ttlMs > 0 ? replay : undefined;
    if (outcome.state === 'fresh')
      this.statements.run(
        `INSERT INTO consumed (jti, expires_at, replay, replay_until, nonce) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (jti) DO NOTHING`,
        [
          use.id,
          use.expiresAt,
          left?.value ?? null,
          left === undefined ? null : Date.now() + left.ttlMs,
          use.nonce ?? null,
        ],
      );
    return outcome;
  }

  release({ id, nonce }: RefreshUse): void {
    this.statements.run('DELETE FROM consumed WHERE jti = ? AND nonce = ?', [id, nonce ?? null]);
  }

  noteExpiry(exp: number): number {
    const latest = Number(this.meta('latest_expiry') ?? 0);
    if (exp <= latest) return latest;
    this.setMeta('latest_expiry', exp);
    return exp;
  }

  putSession(owner: string, session: SessionRecord): readonly SessionRecord[] {
    return this.sessions.putSession(owner, session);
  }

  listSessions(owner: string): readonly SessionRecord[] {
    return this.sessions.listSessions(owner);
  }

  countSessions(limit: number): number {
    return this.sessions.countSessions(limit);
  }

  removeSessions(owner: string, sids: readonly string[]): void {
    this.sessions.removeSessions(owner, sids);
  }

  /** Notes that the clock was set, in a transaction of its own. */
  followClock(): void {
    const known = this.clock();
    if (followClock(known) !== known) transaction(this.database, () => this.latestTime());
  }

  /** The lock for writing is taken only when there is something to delete. */
  purge(horizon: number): boolean {
    const now = Date.now();
    const due = this.statements.get(
      `SELECT EXISTS (SELECT 1 FROM revocation WHERE expires_at <= ?1)
           OR EXISTS (SELECT 1 FROM consumed WHERE expires_at <= ?1)
           OR EXISTS (SELECT 1 FROM consumed WHERE replay IS NOT NULL AND replay_until <= ?2) AS due`,
      [horizon, now],
    );
    if (due?.due !== 1 && !this.sessions.isPurgeDue(horizon)) return false;
    return transaction(this.database, () => {
      const changed = [
        this.statements.run(
          'DELETE FROM revocation WHERE version IN (SELECT version FROM revocation WHERE expires_at <= ? LIMIT ?)',
          [horizon, PURGE_ROWS],
        ),
        this.statements.run(
          'DELETE FROM consumed WHERE jti IN (SELECT jti FROM consumed WHERE expires_at <= ? LIMIT ?)',
          [horizon, PURGE_ROWS],
        ),
        this.statements.run(
          `UPDATE consumed SET replay = NULL, replay_until = NULL
            WHERE jti IN (SELECT jti FROM consumed WHERE replay IS NOT NULL AND replay_until <= ? LIMIT ?)`,
          [now, PURGE_ROWS],
        ),
        this.sessions.purge(horizon, PURGE_ROWS),
      ];
      return changed.includes(PURGE_ROWS);
    });
  }

  /** @returns the name of the history that the file holds */
  private migrate(): string {
    this.database.exec(SCHEMA + SESSION_SCHEMA);
    // Version 0.1 did not have this column, and ignores it.
    const nonce = "SELECT 1 FROM pragma_table_info('consumed') WHERE name = 'nonce'";
    if (this.statements.get(nonce) === undefined)
      this.database.exec('ALTER TABLE consumed ADD COLUMN nonce TEXT');
    const schema = this.meta('schema');
    assertReadable(schema);
    if (Number(schema ?? 0) < SCHEMA_NUMBER) this.setMeta('schema', SCHEMA_NUMBER);
    const history = this.meta('history') ?? randomUUID();
    this.setMeta('history', history);
    return String(history);
  }

  private readHistory(): string {
    assertReadable(this.meta('schema'));
    return String(this.meta('history'));
  }

  private isRevoked(subject: RevocationSubject, now: number): boolean {
    return subject.names.some(({ kind, value }) => {
      const named = `SELECT 1 AS found FROM revocation WHERE kind = ? AND value = ? AND ${ALIVE}
        AND (before IS NULL OR ?4 IS NULL OR before > ?4) LIMIT 1`;
      return (
        this.statements.get(named, [kind, value, now, comparedTime(subject, kind) ?? null]) !==
        undefined
      );
    });
  }

  /** @returns false if there is already a revocation with this id */
  private insert(revocation: Revocation): boolean {
    const { id, kind, value, before, reason, createdAt, expiresAt } = revocation;
    return (
      this.statements.run(
        `INSERT INTO revocation (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
        [id, kind, value, before, reason ?? null, createdAt, expiresAt],
      ) > 0
    );
  }

  private clock(): ClockRecord | undefined {
    const text = this.meta('clock');
    return text === undefined ? undefined : (JSON.parse(String(text)) as ClockRecord);
  }

  /** Returns a time in seconds since 1970 after which no process of this machine has issued a token so far. */
  private latestTime(): number {
    const known = this.clock();
    const record = followClock(known);
    if (record !== known) this.setMeta('clock', JSON.stringify(record));
    return latestTime(record);
  }

  private isIncomplete(): boolean {
    const left = Number(this.meta('incomplete_until') ?? 0) - epochSeconds();
    // A longer remaining time is from before the clock was set back.
    return left > 0 && left <= RESTORE_SECONDS;
  }

  private latestVersion(): number {
    return Number(
      this.statements.get("SELECT seq FROM sqlite_sequence WHERE name = 'revocation'")?.seq ?? 0,
    );
  }

  private meta(name: string): string | number | undefined {
    const row = this.statements.get('SELECT value FROM meta WHERE name = ?', [name]);
    return row?.value ?? undefined;
  }

  private revocation(sql: string, values: readonly (string | number)[]): Row | undefined {
    return this.statements.get(sql, values) as Row | undefined;
  }

  private revocations(sql: string, values: readonly (string | number)[]): Row[] {
    return this.statements.all(sql, values) as unknown as Row[];
  }

  private setMeta(name: string, value: string | number): void {
    this.statements.run('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)', [name, value]);
  }
}

const toRevocation = (row: Row): Revocation => ({
  id: row.id,
  kind: row.kind,
  value: row.value,
  before: row.before,
  reason: row.reason ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
