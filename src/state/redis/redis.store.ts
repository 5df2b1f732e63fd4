import { randomUUID } from 'node:crypto';
import type { Revocation } from '../../core/revocation/index.js';
import { epochSeconds } from '../../core/time/index.js';
import { inOrder, type SessionRecord } from '../session-records.js';
import {
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import {
  TOMBSTONE_SECONDS,
  type ChangeCursor,
  type Hits,
  type RefreshOutcome,
  type RefreshUse,
  type RevocationChanges,
  type StateStore,
} from '../state-store.js';
import { key } from './keys.js';
import { RedisConnection } from './redis-connection.js';
import {
  ADD,
  CHANGES,
  CONSUME,
  GET_KEPT,
  HIT,
  LIST,
  NOTE_EXPIRY,
  PURGE,
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

const NAMED = key('named:');
const VERSION = key('version');
const ENTRIES = key('entries');
const LOG = key('log');
const EXPIRY = key('expiry');
const REMOVED = key('removed');
const HISTORY = key('history');
/** Named so by version 0.1. */
const LATEST_EXPIRY = key('horizon');
const sessions = (owner: string): string => key(`sessions:${owner}`);
const named = (kind: string, value: string): string => `${NAMED}${kind}:${value}`;

type ChangesReply = [
  history: string,
  restarted: number,
  more: number,
  version: string,
  entries: (string | null)[],
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

  get readOnly(): string | undefined {
    return this.connection.readOnly;
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
    const entries = await this.connection.evaluate<(string | null)[]>(
      LIST,
      [ENTRIES, LOG, REMOVED, EXPIRY],
      [page.after ?? '', page.limit],
      TIMEOUT_MS,
    );
    return entries.map(parse);
  }

  async changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges> {
    const { process } = this.connection;
    const [run, history = '', since = '0'] = (cursor ?? '').split(' ');
    // A server that was started again may have lost what it had not saved.
    const from = cursor === undefined ? '' : run === process ? history : 'of another process';
    const [, [current, restarted, more, version, entries, removed]] = await Promise.all([
      // Written in the same batch, and run before.
      this.purge(),
      this.connection.evaluate<ChangesReply>(
        CHANGES,
        [VERSION, ENTRIES, LOG, REMOVED, HISTORY],
        [from, since, Math.min(limit, LONGEST_PAGE)],
        TIMEOUT_MS,
      ),
    ]);
    const parsed = entries.map(parse);
    return {
      restarted: restarted === 1,
      cursor: `${process} ${current} ${version}`,
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
      [this.own('kept', name)],
      // Not by the time of day: the clock of the server may be another one.
      [value, Math.ceil(ttlMs)],
      TIMEOUT_MS,
    );
  }

  async getKept(name: string): Promise<string | undefined> {
    const value = await this.connection.evaluate<string | null>(
      GET_KEPT,
      [this.own('kept', name)],
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
        [this.own('hits', name)],
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

  /** Deletes what has expired, and so finds out whether the server takes writes. */
  private async purge(): Promise<void> {
    const keys = [NAMED, ENTRIES, LOG, EXPIRY, REMOVED, HISTORY];
    try {
      await this.connection.evaluate(PURGE, keys, [randomUUID()], TIMEOUT_MS);
      this.connection.noteWritten();
    } catch (error) {
      if (!(error instanceof StateReadOnlyException)) throw error;
    }
  }

  /** Name of a key that stands for itself. Of a cluster, one node has all of them. */
  private own(kind: string, name: string): string {
    return this.connection.clustered ? key(`${kind}:${name}`) : `signet:{${kind}:${name}}`;
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

const parseSession = (record: string): SessionRecord => JSON.parse(record) as SessionRecord;

/** Of another kind than any that is known. */
const UNREADABLE = { id: '', kind: '', value: '', before: null, createdAt: 0, expiresAt: null };

/** Members that only a newer version knows are left out. */
function parse(entry: string | null): Revocation {
  let members: unknown = UNREADABLE;
  try {
    members = JSON.parse(entry ?? 'null') ?? UNREADABLE;
  } catch {
    // Somebody else has written it.
  }
  const { id, kind, value, before, reason, createdAt, expiresAt } = members as Revocation;
  return { id, kind, value, before, reason, createdAt, expiresAt };
}
