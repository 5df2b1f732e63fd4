import type { Revocation } from '../../core/revocation/index.js';
import type { SessionRecord } from '../session-records.js';
import type {
  ChangeCursor,
  Hits,
  RefreshOutcome,
  RefreshUse,
  Replay,
  RevocationChanges,
  StateStore,
} from '../state-store.js';
import { StateUnavailableException } from '../state-unavailable.exception.js';
import type { CounterOperations, StateOperations } from './protocol.js';
import { SqliteThread } from './sqlite-thread.js';

/**
 * State in a SQLite file that all processes of a machine share (not over a network file system).
 * Confirmed writes survive `kill -9` and a power failure.
 */
export class SqliteStore implements StateStore {
  readonly description: string;
  readonly scope = 'machine';
  /** Opened with the first hit or short-lived value; many gateways have neither. */
  private counters: Promise<SqliteThread<CounterOperations>> | undefined;
  private closed = false;

  private constructor(
    private readonly file: string,
    private readonly state: SqliteThread<StateOperations>,
  ) {
    this.description = `sqlite:${file}`;
  }

  get readOnly(): string | undefined {
    return this.state.readOnly;
  }

  /** @throws Error whose message says why the file can neither be written nor read */
  static async open(file: string): Promise<SqliteStore> {
    return new SqliteStore(file, await SqliteThread.open({ database: 'state', file }));
  }

  addRevocation(revocation: Revocation, reach?: number): Promise<Revocation> {
    return this.state.call('addRevocation', revocation, reach);
  }

  restore(revocations: readonly Revocation[]): Promise<void> {
    return this.state.call('restore', revocations);
  }

  removeRevocation(id: string): Promise<Revocation | undefined> {
    return this.state.call('removeRevocation', id);
  }

  listRevocations(page: { after?: string; limit: number }): Promise<readonly Revocation[]> {
    return this.state.call('listRevocations', page);
  }

  changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges> {
    return this.state.call('changes', cursor, limit);
  }

  peek(use: RefreshUse): Promise<RefreshOutcome> {
    return this.state.call('peek', use);
  }

  consume(use: RefreshUse, replay?: Replay): Promise<RefreshOutcome> {
    return this.state.call('consume', use, replay);
  }

  noteExpiry(exp: number): Promise<number> {
    return this.state.call('noteExpiry', exp);
  }

  putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]> {
    return this.state.call('putSession', owner, session);
  }

  listSessions(owner: string): Promise<readonly SessionRecord[]> {
    return this.state.call('listSessions', owner);
  }

  countSessions(limit: number): Promise<number> {
    return this.state.call('countSessions', limit);
  }

  removeSessions(owner: string, sids: readonly string[]): Promise<void> {
    return this.state.call('removeSessions', owner, sids);
  }

  async putIfAbsent(name: string, value: string, ttlMs: number): Promise<string> {
    this.counters ??= this.openCounters();
    return (await this.counters).call('putIfAbsent', name, value, ttlMs);
  }

  async getKept(name: string): Promise<string | undefined> {
    this.counters ??= this.openCounters();
    return (await this.counters).call('getKept', name);
  }

  async hit(key: string, windowMs: number): Promise<Hits> {
    this.counters ??= this.openCounters();
    return (await this.counters).call('hit', key, windowMs);
  }

  async close(): Promise<void> {
    this.closed = true;
    const counters = this.counters?.then(
      (thread) => thread.close(),
      () => undefined,
    );
    await Promise.all([this.state.close(), counters]);
  }

  private async openCounters(): Promise<SqliteThread<CounterOperations>> {
    // A request may outlast the shutdown; a thread that it starts would never be ended.
    if (this.closed) throw new StateUnavailableException(`${this.description}: it is closed`);
    try {
      return await SqliteThread.open({ database: 'counters', file: `${this.file}-counters` });
    } catch (error) {
      this.counters = undefined;
      throw new StateUnavailableException(`${this.description}-counters: cannot be opened`, error);
    }
  }
}
