import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  StateLoadingException,
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import { locate } from './locate.js';
import { within } from '../deadline.js';
import { LoadingError, RedisSession, reasonOf } from './redis-session.js';
import { parseRedisUrl, type RedisTarget } from './redis-url.js';
import { conditionOf } from './replies.js';
import type { Script } from './scripts.js';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;
/** A connection whose commands wait this many milliseconds without any reply is given up, even if TCP sees it open. */
const SILENT_MS = 2000;

type Argument = string | number;

/**
 * The connection to the Redis server that takes writes. It is made anew whenever it is lost or silent, or leads to a
 * server that takes no writes. Commands are not queued while there is no connection, and a call waits no longer than
 * its timeout. While only a replica is found, the replica answers reads.
 */
export class RedisConnection {
  private static readonly logger = new Logger('RedisStore');
  private session: RedisSession | undefined;
  /** Why there is no session. */
  private failure: unknown = new Error('not connected');
  private seeking = false;
  private readonly closing = new AbortController();

  private constructor(private readonly target: RedisTarget) {}

  /** @throws Error whose message says why the server cannot be used, without credentials */
  static async open(url: string): Promise<RedisConnection> {
    const target = parseRedisUrl(url);
    const connection = new RedisConnection(target);
    try {
      const session = await connection.dial();
      if (session.process === undefined)
        RedisConnection.logger.warn(
          `${target.description}: the user may not run INFO, so maxmemory-policy noeviction cannot be checked`,
        );
      connection.session = session;
      if (session.replica) void connection.seek();
      return connection;
    } catch (error) {
      connection.close();
      throw new Error(`${target.description}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** Kind and address of the server, without credentials. */
  get description(): string {
    return this.target.description;
  }

  /** True for a Redis Cluster. All keys then need the same hash tag, because only its node is connected. */
  get clustered(): boolean {
    return this.target.kind === 'cluster';
  }

  /** The `run_id` of the server; `undefined` while there is no connection, and if the user may not run INFO. */
  get process(): string | undefined {
    return this.session?.process;
  }

  /** Why the server takes no writes, as far as it has said; `undefined` while it takes them. */
  get readOnly(): string | undefined {
    return this.session?.readOnly;
  }

  /** To be called after a successful write, which shows that the server takes writes. */
  noteWritten(): void {
    if (this.session?.replica === false) this.session.readOnly = undefined;
  }

  /**
   * Runs a script.
   *
   * @throws StateReadOnlyException when the server answers but takes no writes
   * @throws StateUnavailableException when there is no answer in time; the script may have run nevertheless
   */
  async evaluate<Reply>(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    timeoutMs: number,
  ): Promise<Reply> {
    const { session } = this;
    if (session === undefined) throw this.explain(this.failure);
    if (session.silentMs > SILENT_MS) this.giveUp(session, 'it does not answer');
    try {
      return (await within(timeoutMs, session.run(script, keys, args.map(String)))) as Reply;
    } catch (error) {
      throw this.judge(session, reasonOf(error));
    }
  }

  close(): void {
    this.closing.abort();
    this.session?.close();
    this.session = undefined;
  }

  /** Updates the state of the session after a failure. @returns the exception for the caller */
  private judge(session: RedisSession, reason: string): StateUnavailableException {
    const text = `${this.description}: ${reason}`;
    const condition = conditionOf(reason);
    if (condition === 'replica' || condition === 'full') {
      session.readOnly = reason;
      if (condition === 'replica') {
        session.replica = true;
        if (this.session === session) void this.seek();
      }
      return new StateReadOnlyException(text);
    }
    if (condition === 'elsewhere' || session.ended || session.silentMs > SILENT_MS)
      this.giveUp(session, reason);
    return new StateUnavailableException(text);
  }

  private explain(failure: unknown): StateUnavailableException {
    const text = `${this.description}: ${reasonOf(failure)}`;
    return failure instanceof LoadingError
      ? new StateLoadingException(text)
      : new StateUnavailableException(text);
  }

  private giveUp(session: RedisSession, reason: string): void {
    session.close();
    if (this.session !== session) return;
    this.session = undefined;
    this.failure = new Error(reason);
    void this.seek();
  }

  /** Opens sessions until one leads to a server that takes writes. */
  private async seek(): Promise<void> {
    if (this.seeking) return;
    this.seeking = true;
    for (let attempt = 0; !this.closing.signal.aborted; attempt++) {
      try {
        this.adopt(await this.dial());
        if (this.session?.replica === false) break;
      } catch (error) {
        this.failure = error;
      }
      await this.pause(attempt);
    }
    this.seeking = false;
  }

  private async dial(): Promise<RedisSession> {
    const session: RedisSession = await RedisSession.open(
      this.target,
      await locate(this.target),
      () => this.giveUp(session, 'the connection was lost'),
    );
    return session;
  }

  /** Replaces the current session, unless both sessions lead to the same replica. */
  private adopt(session: RedisSession): void {
    const { session: before } = this;
    const same = session.process === undefined || session.process === before?.process;
    if (this.closing.signal.aborted || (before?.replica === true && session.replica && same)) {
      session.close();
      return;
    }
    this.session = session;
    before?.retire();
  }

  private async pause(attempt: number): Promise<void> {
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
    await pause(ms * (0.5 + Math.random() / 2), undefined, {
      ref: false,
      signal: this.closing.signal,
    }).catch(() => undefined);
  }
}
