import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Revocation } from '../../core/revocation/index.js';
import type { SessionRecord } from '../session-records.js';
import {
  RESTORE_SECONDS,
  TOMBSTONE_SECONDS,
  type ChangeCursor,
  type Hits,
  type RefreshOutcome,
  type RefreshUse,
  type Replay,
  type RevocationChanges,
  type StateStore,
} from '../state-store.js';
import {
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import { StoreClock } from '../store-clock.js';
import { AdditionQueue, type Addition } from './addition-queue.js';
import { ExpiredRows } from './expired-rows.js';
import { migrate } from './migrations.js';
import { PostgresPool } from './postgres-pool.js';
import { PostgresSession, type Row, type Value } from './postgres-session.js';
import { parsePostgresUrl, type PostgresTarget } from './postgres-url.js';
import {
  asParameters,
  digest,
  fromPage,
  fromSql,
  toOutcome,
  toRevocation,
  toSessions,
  toSql,
  type PageRow,
} from './rows.js';
import { SettledUses } from './settled-uses.js';
import { sqlConditionOf, sqlReasonOf } from './sql-states.js';
import { channelOf, statementsFor, type Statement, type Statements } from './statements.js';

const TIMEOUT_MS = 1000;
/** Milliseconds after which the server cancels a statement: shortly before the caller stops waiting for it. */
const STATEMENT_MS = 900;
/** Timeout of a page of the history, in milliseconds; no request waits for it. */
const PAGE_TIMEOUT_MS = 5000;
/** Timeout of a hit, in milliseconds. Short, as a throttle that delays every request is worse than an inexact one. */
const HIT_TIMEOUT_MS = 200;
/** After a hit has failed, further hits fail at once for this long, in milliseconds. */
const HIT_PAUSE_MS = 1000;
/** While the server takes no writes, another one is looked for at this interval, in milliseconds. */
const SEEK_EVERY_MS = 1000;

/**
 * State in PostgreSQL, for gateways on several machines. Confirmed writes are as durable as the setting
 * `synchronous_commit` of the user or the database makes them; counters and short-lived values may be lost when the
 * server crashes.
 */
export class PostgresStore implements StateStore {
  private static readonly logger = new Logger(PostgresStore.name);
  readonly scope = 'network';
  readonly clock = new StoreClock();
  readOnly: string | undefined;
  private readonly statements: Statements;
  private readonly pool: PostgresPool;
  /** The session that reads the history and is notified of changes to it. */
  private reader: PostgresSession | undefined;
  private opening: Promise<PostgresSession> | undefined;
  private changed: () => void = () => undefined;
  private readonly additions = new AdditionQueue((additions) => this.add(additions, null));
  private readonly expired: ExpiredRows;
  private readonly settled = new SettledUses((ids, nonces) =>
    this.call(this.statements.settle, [ids.map(toSql), nonces.map(toSql)]),
  );
  private soughtAt = -Infinity;
  private hitsResumeAt = -Infinity;
  private closed = false;

  private constructor(private readonly target: PostgresTarget) {
    this.statements = statementsFor(target.schema);
    this.pool = new PostgresPool(() => PostgresSession.open(target, STATEMENT_MS));
    const call = (statement: Statement, values: readonly Value[]) => this.call(statement, values);
    this.expired = new ExpiredRows(call, this.statements, this.clock);
  }

  /** @throws Error whose message says why the server cannot be used, without credentials */
  static async open(url: string): Promise<PostgresStore> {
    const target = parsePostgresUrl(url);
    const store = new PostgresStore(target);
    try {
      const reader = await store.openReader();
      const text = "SELECT current_setting('synchronous_commit') AS level";
      const [row] = await reader.query({ text }, [], TIMEOUT_MS);
      if (row?.level === 'off')
        PostgresStore.logger.warn(
          `${target.description}: synchronous_commit is off, so that a crash of the server may take back revocations and used refresh tokens`,
        );
      return store;
    } catch (error) {
      await store.close();
      throw new Error(`${target.description}: ${sqlReasonOf(error)}`, { cause: error });
    }
  }

  get description(): string {
    return this.target.description;
  }

  watch(changed: () => void): void {
    this.changed = changed;
  }

  addRevocation(revocation: Revocation, reach?: number): Promise<Revocation> {
    return this.additions.add({ revocation, reach });
  }

  async restore(revocations: readonly Revocation[]): Promise<void> {
    const once = new Map(revocations.map((revocation) => [revocation.id, { revocation }]));
    await this.add([...once.values()], RESTORE_SECONDS);
  }

  async removeRevocation(id: string): Promise<Revocation | undefined> {
    const [row] = await this.call(this.statements.remove, [toSql(id), TOMBSTONE_SECONDS]);
    return row === undefined ? undefined : toRevocation(row);
  }

  async listRevocations(page: { after?: string; limit: number }): Promise<readonly Revocation[]> {
    const after = page.after === undefined ? null : toSql(page.after);
    return (await this.call(this.statements.list, [after, page.limit])).map(toRevocation);
  }

  async changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges> {
    const [history = '', place = 'page', id = '-', version = '0'] = (cursor ?? '').split(' ');
    const asked = performance.now();
    const [row] = await this.read(this.statements.changes, [
      cursor === undefined ? null : history,
      Number(version),
      decodeURIComponent(id),
      place === 'tip',
      limit,
    ]);
    if (row === undefined)
      throw new StateUnavailableException(`${this.description}: the table state has no row`);
    this.clock.note(Number(row.now), asked, performance.now());
    await this.checkWritable(row);
    this.expired.purge();
    this.settled.settle();
    const rows = (row.rows ?? []) as PageRow[];
    const more = rows.length > limit;
    if (more) rows.pop();
    const restarted = row.restarted === true;
    const last = rows.at(-1);
    const from = restarted ? '- 0' : `${id} ${version}`;
    return {
      restarted,
      cursor: `${String(row.history)} ${more ? 'page' : 'tip'} ${last === undefined ? from : `${encodeURIComponent(last[2])} ${last[0]}`}`,
      added: rows.filter(([, removedFrom]) => removedFrom === null).map(fromPage),
      removed: rows.filter(([, removedFrom]) => removedFrom !== null).map(fromPage),
      more,
      ...(row.incomplete === true ? { incomplete: true } : {}),
    };
  }

  async peek(use: RefreshUse): Promise<RefreshOutcome> {
    const [row] = await this.call(this.statements.peek, asParameters(use, use.nonce ?? null));
    return toOutcome(row as Row);
  }

  async consume(use: RefreshUse, replay?: Replay): Promise<RefreshOutcome> {
    const nonce = use.nonce ?? randomUUID();
    const settled = use.nonce === undefined;
    const seconds = (replay?.ttlMs ?? 0) / 1000;
    const { latest } = this.clock;
    const [row] = await this.call(this.statements.consume, [
      ...asParameters(use, nonce),
      use.expiresAt,
      replay === undefined || (settled && seconds <= 0) ? null : toSql(replay.value),
      seconds,
      !settled,
      // A stalled connection may deliver the statement after the caller has given up; it then does nothing.
      latest === undefined ? null : latest + TIMEOUT_MS / 1000,
    ]);
    if (row?.late === true)
      throw new StateUnavailableException(`${this.description}: it arrived too late`);
    if (row?.taken !== true && row?.used !== true && row?.revoked !== true)
      // Another request has used the token since the statement began.
      return this.peek({ ...use, nonce });
    const outcome = toOutcome(row);
    if (outcome.state === 'fresh' && !settled) this.settled.note(use.id, nonce);
    return outcome;
  }

  async noteExpiry(exp: number): Promise<number> {
    const [known] = await this.call(this.statements.latestExpiry, []);
    if (Number(known?.latest) >= exp) return Number(known?.latest);
    const [noted] = await this.call(this.statements.noteExpiry, [exp]);
    return Number(noted?.latest);
  }

  async putIfAbsent(name: string, value: string, ttlMs: number): Promise<string> {
    const { putIfAbsent } = this.statements;
    const [row] = await this.call(putIfAbsent, [digest(name), toSql(value), ttlMs / 1000]);
    return fromSql(String(row?.value));
  }

  async getKept(name: string): Promise<string | undefined> {
    const [row] = await this.call(this.statements.getKept, [digest(name)]);
    return row === undefined ? undefined : fromSql(String(row.value));
  }

  async hit(key: string, windowMs: number): Promise<Hits> {
    if (performance.now() < this.hitsResumeAt)
      throw new StateUnavailableException(
        `${this.description}: counting is paused after a failure`,
      );
    try {
      const values = [digest(key), windowMs / 1000];
      const [row] = await this.call(this.statements.hit, values, HIT_TIMEOUT_MS);
      const resetMs = Math.min(windowMs, Math.max(1, Number(row?.seconds) * 1000));
      return { hits: Number(row?.hits), resetMs };
    } catch (error) {
      this.hitsResumeAt = performance.now() + HIT_PAUSE_MS;
      throw error;
    }
  }

  async putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]> {
    return toSessions(
      await this.call(this.statements.putSession, [
        owner,
        digest(session.sid),
        session.expiresAt,
        JSON.stringify(session),
      ]),
    );
  }

  async listSessions(owner: string): Promise<readonly SessionRecord[]> {
    return toSessions(await this.call(this.statements.listSessions, [owner]));
  }

  async countSessions(limit: number): Promise<number> {
    const [row] = await this.call(this.statements.countSessions, [limit]);
    return Number(row?.count);
  }

  async removeSessions(owner: string, sids: readonly string[]): Promise<void> {
    await this.call(this.statements.removeSessions, [owner, sids.map(digest)]);
  }

  async close(): Promise<void> {
    await this.settled.idle();
    this.closed = true;
    this.reader?.close();
    this.pool.close();
  }

  private async add(
    additions: readonly Addition[],
    incompleteSeconds: number | null,
  ): Promise<Revocation[]> {
    const revocations = additions.map(({ revocation }) => revocation);
    const rows = await this.call(this.statements.add, [
      revocations.map(({ id }) => toSql(id)),
      revocations.map(({ kind }) => kind),
      revocations.map(({ value }) => toSql(value)),
      revocations.map(({ before }) => before),
      revocations.map(({ reason }) => (reason === undefined ? null : toSql(reason))),
      revocations.map(({ createdAt }) => createdAt),
      revocations.map(({ expiresAt }) => expiresAt),
      revocations.length,
      additions.map(({ reach }) => reach ?? null),
      incompleteSeconds,
      this.clock.reached ?? null,
    ]);
    return rows.map(toRevocation);
  }

  private async call(
    statement: Statement,
    values: readonly Value[],
    ms = TIMEOUT_MS,
  ): Promise<Row[]> {
    try {
      return await this.pool.run(statement, values, ms);
    } catch (error) {
      throw this.judge(error);
    }
  }

  private async read(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    try {
      const reader = this.reader ?? (await (this.opening ??= this.openReader()));
      return await reader.query(statement, values, PAGE_TIMEOUT_MS);
    } catch (error) {
      // The reader was lost; the other connections are most likely broken as well.
      if (this.reader === undefined) this.pool.renew();
      throw this.judge(error);
    }
  }

  /** Opens the reader and checks what may have changed since the last connection: role and version. */
  private async openReader(): Promise<PostgresSession> {
    const { target } = this;
    try {
      const reader = await PostgresSession.open(target, PAGE_TIMEOUT_MS - 100);
      await this.prepare(reader);
      reader.onNotification = () => this.changed();
      reader.onLost = () => {
        if (this.reader === reader) this.reader = undefined;
      };
      this.reader = reader;
      return reader;
    } finally {
      this.opening = undefined;
    }
  }

  private async prepare(reader: PostgresSession): Promise<void> {
    const { schema } = this.target;
    try {
      await migrate(reader, schema);
      // A standby does not support notifications; polls find the changes nevertheless.
      const text = `LISTEN ${channelOf(schema)}`;
      if (!reader.standby) await reader.query({ text }, [], TIMEOUT_MS);
      if (this.closed) throw new Error('it is closed');
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  private loseReader(): void {
    this.reader?.close();
    this.reader = undefined;
  }

  /** Updates the state of the store after a failure. @returns the exception for the caller */
  private judge(error: unknown): StateUnavailableException {
    const reason = sqlReasonOf(error);
    const text = `${this.description}: ${reason}`;
    switch (sqlConditionOf(error)) {
      case 'standby':
        this.readOnly ??= reason;
        this.seek();
        return new StateReadOnlyException(text);
      case 'full':
        this.readOnly ??= reason;
        return new StateReadOnlyException(text);
      case 'gone':
        // The next poll opens a reader, which creates the tables.
        this.loseReader();
        return new StateUnavailableException(text);
      default:
        return new StateUnavailableException(text);
    }
  }

  /** Finds out whether the server takes writes. @param row what the server says about itself */
  private async checkWritable({ standby, read_only: readOnly }: Row): Promise<void> {
    if (standby === true || readOnly === true) {
      this.readOnly = standby === true ? 'it is a standby' : 'its transactions are read-only';
      this.seek();
    } else if (this.readOnly !== undefined) {
      // Only a write shows whether the server takes writes again.
      await this.call(this.statements.probe, []).then(
        () => (this.readOnly = undefined),
        () => undefined,
      );
    }
  }

  /** Replaces all connections, so that the next statement finds the server that takes writes by then. */
  private seek(): void {
    const now = performance.now();
    if (now - this.soughtAt < SEEK_EVERY_MS) return;
    this.soughtAt = now;
    this.loseReader();
    this.pool.renew();
  }
}
