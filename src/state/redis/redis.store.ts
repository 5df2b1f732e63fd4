import { randomUUID } from 'node:crypto';
import type { Revocation } from '../../core/revocation/index.js';
import { epochSeconds } from '../../core/time/index.js';
import { inOrder, type SessionRecord } from '../session-records.js';
import { StateUnavailableException } from '../state-unavailable.exception.js';
import {
  TOMBSTONE_SECONDS,
  type ChangeCursor,
  type Hits,
  type RefreshOutcome,
  type RefreshUse,
  type RevocationChanges,
  type StateStore,
} from '../state-store.js';
import { RedisConnection } from './redis-connection.js';
import {
  ADD,
  CHANGES,
  CONSUME,
  GET_KEPT,
  HIT,
  LIST,
  NOTE_EXPIRY,
  PUT_IF_ABSENT,
  REMOVE,
} from './scripts.js';
import { LIST_SESSIONS, PUT_SESSION, REMOVE_SESSIONS } from './session-scripts.js';

const TIMEOUT_MS = 1000;
/** A throttle that makes everybody wait is worse than one that does not know everything. */
const HIT_TIMEOUT_MS = 50;
/** After one that took too long, hits fail at once for so long. */
const HIT_PAUSE_MS = 1000;
/** What Lua can hand to one command. */
const LONGEST_PAGE = 5000;

/** One hash tag: all keys of a script have to be in one slot of a cluster. */
const key = (name: string): string => `signet:{state}:${name}`;
const NAMED = key('named:');
const VERSION = key('version');
const ENTRIES = key('entries');
const LOG = key('log');
const EXPIRY = key('expiry');
const REMOVED = key('removed');
const HISTORY = key('history');
/** Named so by version 0.1. */
const LATEST_EXPIRY = key('horizon');
const kept = (name: string): string => `signet:{kept:${name}}`;
const sessions = (owner: string): string => key(`sessions:${owner}`);
const named = (kind: string, value: string): string => `${NAMED}${kind}:${value}`;

type ChangesReply = [
  history: string,
  restarted: number,
  more: number,
  version: string,
  entries: string[],
  removed: (string | null)[],
];

/** State in Redis, for gateways on several machines. As durable as Redis is configured to be. */
export class RedisStore implements StateStore {
  readonly scope = 'network';
  private hitsResumeAt = -Infinity;

  private constructor(private readonly connection: RedisConnection) {}

  /** @throws Error whose message says why the server cannot be used, without credentials */
  static async open(url: string): Promise<RedisStore> {
    return new RedisStore(await RedisConnection.open(url));
  }

  get description(): string {
    return this.connection.description;
  }

  async addRevocation(revocation: Revocation): Promise<void> {
    const { id, kind, value, before, expiresAt } = revocation;
    await this.connection.evaluate(
      ADD,
      [named(kind, value), VERSION, ENTRIES, LOG, EXPIRY],
      [id, JSON.stringify(revocation), `${before ?? ''};${expiresAt ?? ''}`, expiresAt ?? ''],
      TIMEOUT_MS,
    );
  }

  async removeRevocation(id: string): Promise<Revocation | undefined> {
    const entry = await this.connection.evaluate<string | null>(
      REMOVE,
      [NAMED, VERSION, ENTRIES, LOG, EXPIRY, REMOVED],
      [id, TOMBSTONE_SECONDS],
      TIMEOUT_MS,
    );
    return entry === null ? undefined : parse(entry);
  }

  async listRevocations(page: { after?: string; limit: number }): Promise<readonly Revocation[]> {
    const entries = await this.connection.evaluate<string[]>(
      LIST,
      [ENTRIES, LOG, REMOVED, EXPIRY],
      [page.after ?? '', page.limit],
      TIMEOUT_MS,
    );
    return entries.map(parse);
  }

  async changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges> {
    const { runId } = this.connection;
    if (runId === undefined)
      throw new StateUnavailableException(`${this.description}: not connected`);
    const [run, history = '', since = '0'] = (cursor ?? '').split(' ');
    // A server that was started again may have lost what it had not saved.
    const from = cursor === undefined ? '' : run === runId ? history : 'of another process';
    const [current, restarted, more, version, entries, removed] =
      await this.connection.evaluate<ChangesReply>(
        CHANGES,
        [NAMED, VERSION, ENTRIES, LOG, EXPIRY, REMOVED, HISTORY],
        [from, since, Math.min(limit, LONGEST_PAGE), randomUUID()],
        TIMEOUT_MS,
      );
    const parsed = entries.map(parse);
    return {
      restarted: restarted === 1,
      cursor: `${runId} ${current} ${version}`,
      added: parsed.filter((_, index) => removed[index] === null),
      removed: parsed.filter((_, index) => removed[index] !== null),
      more: more === 1,
    };
  }

  peek(use: RefreshUse): Promise<RefreshOutcome> {
    return this.use(use, false);
  }

  consume(
    use: RefreshUse,
    replay?: { readonly value: string; readonly ttlMs: number },
  ): Promise<RefreshOutcome> {
    return this.use(use, true, replay);
  }

  async noteExpiry(exp: number): Promise<number> {
    return Number(
      await this.connection.evaluate<string>(NOTE_EXPIRY, [LATEST_EXPIRY], [exp], TIMEOUT_MS),
    );
  }

  putIfAbsent(name: string, value: string, ttlMs: number): Promise<string> {
    return this.connection.evaluate<string>(
      PUT_IF_ABSENT,
      [kept(name)],
      // Not by the time of day: the clock of the server may be another one.
      [value, Math.ceil(ttlMs)],
      TIMEOUT_MS,
    );
  }

  async getKept(name: string): Promise<string | undefined> {
    const value = await this.connection.evaluate<string | null>(
      GET_KEPT,
      [kept(name)],
      [],
      TIMEOUT_MS,
    );
    return value ?? undefined;
  }

  async hit(name: string, windowMs: number): Promise<Hits> {
    if (performance.now() < this.hitsResumeAt)
      throw new StateUnavailableException(`${this.description}: counting pauses, it took too long`);
    try {
      const [hits, resetMs] = await this.connection.evaluate<[number, number]>(
        HIT,
        [`signet:{hits:${name}}`],
        [Math.ceil(windowMs)],
        HIT_TIMEOUT_MS,
      );
      return { hits, resetMs };
    } catch (error) {
      this.hitsResumeAt = performance.now() + HIT_PAUSE_MS;
      throw error;
    }
  }

  async putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]> {
    const records = await this.connection.evaluate<string[]>(
      PUT_SESSION,
      [sessions(owner)],
      [session.sid, JSON.stringify(session)],
      TIMEOUT_MS,
    );
    return inOrder(records.map(parseSession), epochSeconds());
  }

  async listSessions(owner: string): Promise<readonly SessionRecord[]> {
    const records = await this.connection.evaluate<string[]>(
      LIST_SESSIONS,
      [sessions(owner)],
      [],
      TIMEOUT_MS,
    );
    return inOrder(records.map(parseSession), epochSeconds());
  }

  async removeSessions(owner: string, sids: readonly string[]): Promise<void> {
    await this.connection.evaluate(REMOVE_SESSIONS, [sessions(owner)], [...sids], TIMEOUT_MS);
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  private async use(
    { id, expiresAt, subject }: RefreshUse,
    consume: boolean,
    replay?: { readonly value: string; readonly ttlMs: number },
  ): Promise<RefreshOutcome> {
    const names = subject.names.map(({ kind, value }) => named(kind, value));
    const [state, left] = await this.connection.evaluate<
      ['fresh' | 'consumed' | 'revoked', (string | null)?]
    >(
      CONSUME,
      [key(`used:${id}`), key(`replay:${id}`), ...names],
      [
        subject.iat ?? '',
        consume ? 1 : 0,
        Math.ceil(expiresAt * 1000),
        replay?.value ?? '',
        Math.ceil(replay?.ttlMs ?? 0),
      ],
      TIMEOUT_MS,
    );
    return state === 'consumed' && typeof left === 'string' ? { state, replay: left } : { state };
  }
}

const parse = (entry: string): Revocation =>
  ({ reason: undefined, ...JSON.parse(entry) }) as Revocation;
const parseSession = (record: string): SessionRecord => JSON.parse(record) as SessionRecord;
