import type { PostgresSession, Row, Value } from './postgres-session.js';
import { sqlReasonOf } from './sql-states.js';
import type { Statement } from './statements.js';

const MAX_SESSIONS = 3;
/** Most statements that may wait for a session; further ones are refused, as none seems to become free. */
const MAX_WAITING = 10_000;

interface Waiter {
  readonly take: (session: PostgresSession) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * A few sessions that statements share. They are opened when they are needed, and again whenever they are lost.
 * A statement waits no longer than its caller says.
 */
export class PostgresPool {
  private readonly sessions = new Set<PostgresSession>();
  private readonly idle: PostgresSession[] = [];
  private readonly waiting = new Set<Waiter>();
  private opening = 0;
  private closed = false;

  constructor(private readonly dial: () => Promise<PostgresSession>) {}

  /** @throws Error when there is no answer within `ms` milliseconds; the statement may have been done nevertheless */
  async run(statement: Statement, values: readonly Value[], ms: number): Promise<Row[]> {
    const until = performance.now() + ms;
    const session = await this.take(ms);
    try {
      return await session.query(statement, values, Math.max(1, until - performance.now()));
    } catch (error) {
      // The idle connections lead to the same server, and are most likely broken as well.
      if (session.ended) this.renew();
      throw error;
    } finally {
      this.giveBack(session);
    }
  }

  /** Replaces all sessions: idle ones are closed at once, the others after their statement. */
  renew(): void {
    for (const session of this.idle.splice(0)) session.close();
    this.sessions.clear();
    this.serve();
  }

  close(): void {
    this.closed = true;
    this.renew();
    this.refuse(this.waiting, new Error('it is closed'));
  }

  private async take(ms: number): Promise<PostgresSession> {
    const session = this.idle.pop();
    if (session !== undefined) return session;
    if (this.closed) throw new Error('it is closed');
    if (this.waiting.size >= MAX_WAITING) throw new Error('too much waits for it');
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(waiter);
      };
      const waiter: Waiter = {
        take: (taken) => {
          end();
          resolve(taken);
        },
        fail: (error) => {
          end();
          reject(error instanceof Error ? error : new Error(sqlReasonOf(error)));
        },
      };
      const timer = setTimeout(() => waiter.fail(new Error(`no connection within ${ms} ms`)), ms);
      this.waiting.add(waiter);
      this.serve();
    });
  }

  private get count(): number {
    return this.sessions.size + this.opening;
  }

  /** Opens sessions for the statements that wait. */
  private serve(): void {
    while (!this.closed && this.opening < this.waiting.size && this.count < MAX_SESSIONS)
      void this.open();
  }

  private async open(): Promise<void> {
    this.opening++;
    const waiting = [...this.waiting];
    try {
      const session = await this.dial();
      this.opening--;
      this.sessions.add(session);
      session.onLost = () => this.forget(session);
      this.giveBack(session);
    } catch (error) {
      this.opening--;
      // The server may allow no more connections; the sessions that are there serve the waiting statements.
      if (this.sessions.size > 0) return;
      this.refuse(waiting, error);
      // Statements that arrived during the attempt get an attempt of their own.
      this.serve();
    }
  }

  private giveBack(session: PostgresSession): void {
    if (session.ended || this.closed || !this.sessions.has(session)) {
      this.forget(session);
      session.close();
      return;
    }
    const [next] = this.waiting;
    if (next === undefined) this.idle.push(session);
    else next.take(session);
  }

  private forget(session: PostgresSession): void {
    this.sessions.delete(session);
    const index = this.idle.indexOf(session);
    if (index >= 0) this.idle.splice(index, 1);
    this.serve();
  }

  private refuse(waiters: Iterable<Waiter>, error: unknown): void {
    for (const waiter of waiters) if (this.waiting.has(waiter)) waiter.fail(error);
  }
}
