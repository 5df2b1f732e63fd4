import { hash, randomUUID } from 'node:crypto';
import { comparedTime, type Revocation, type RevocationName } from '../../core/revocation/index.js';
import { Forgetting } from '../forgetting.js';
import { inOrder, type SessionRecord } from '../session-records.js';
import {
  StateReadOnlyException,
  StateUnavailableException,
} from '../state-unavailable.exception.js';
import { StoreClock } from '../store-clock.js';
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
  SETTLE,
} from './scripts.js';
import { GET_SESSIONS, PUT_SESSION, REMOVE_SESSIONS } from './session-scripts.js';

const TIMEOUT_MS = 1000;
/** Timeout of pages of the history and of {@link RedisStore.restore}, in milliseconds; no request waits for them. */
const PAGE_TIMEOUT_MS = 3000;
/** Timeout of a hit, in milliseconds. Short, as a throttle that delays every request is worse than an inexact one. */
const HIT_TIMEOUT_MS = 50;
/** After a hit has failed, further hits fail at once for this long, in milliseconds. */
const HIT_PAUSE_MS = 1000;
/** Most entries of a page: Lua cannot pass many more arguments to one command. */
const LONGEST_PAGE = 5000;
/** Most uses whose answer has arrived and which the server has not been told of; the oldest makes room. */
const MAX_UNSETTLED = 10_000;
/** Most of these uses that the server is told of again in one poll. */
const SETTLED_AT_ONCE = 500;

const NAMED = key('named:');
const VERSION = key('version');
const ENTRIES = key('entries');
const LOG = key('log');
const EXPIRY = key('expiry');
const REMOVED = key('removed');
const HISTORY = key('history');
const STAMPS = key('stamps');
const INCOMPLETE = key('incomplete');
const USED = key('used:');
const REPLAY = key('replay:');
const USED_EXPIRY = key('used-expiry');
/** The key has the name that version 0.1 gave it. */
const LATEST_EXPIRY = key('horizon');
const sessions = (owner: string): string => key(`sessions:${owner}`);
/** A revocation name as part of the name of a key, in the form of version 0.1. */
const nameInClear = ({ kind, value }: RevocationName): string => `${kind}:${value}`;
/** The same as a digest: key names appear in the server's logs, lists and metrics, and a `sub` identifies a person. */
const nameOf = (name: RevocationName): string => hash('sha256', nameInClear(name), 'base64url');

type ChangesReply = [
  time: string,
  history: string,
  restarted: number,
  more: number,
  incomplete: number,
  version: string,
  last: string,
  entries: (string | null)[],
  removed: (string | null)[],
];

/** State in Redis, for gateways on several machines. As durable as Redis is configured to be. */
export class RedisStore implements StateStore {
  readonly scope = 'network';
  readonly clock = new StoreClock();
  private readonly forgetting = new Forgetting(this.clock);
  /** Nonces, by id, of uses whose answer has arrived and which the server has not been told of. */
  private readonly unsettled = new Map<string, string>();
  /** True while there are more changes than the last page held. */
  private reading = false;
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

  async addRevocation(revocation: Revocation, reach?: number): Promise<Revocation> {
    return parse(await this.add([revocation], reach, 0));
  }

  async restore(revocations: readonly Revocation[]): Promise<void> {
    await this.add(revocations, undefined, RESTORE_SECONDS * 1000);
  }

  async removeRevocation(id: string): Promise<Revocation | undefined> {
    const entry = await this.connection.evaluate<string | null>(
      REMOVE,
      [NAMED, VERSION, ENTRIES, LOG, EXPIRY, REMOVED, STAMPS],
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
    if (!this.reading) await this.purge();
    const run = this.connection.process ?? '-';
    const [history = '', ofRun, stamp = '-', since = '0'] = (cursor ?? '').split(' ');
    const asked = performance.now();
    const [time, current, restarted, more, incomplete, version, last, entries, removed] =
      await this.connection.evaluate<ChangesReply>(
        CHANGES,
        [VERSION, ENTRIES, LOG, REMOVED, HISTORY, STAMPS, INCOMPLETE],
        [
          history,
          since,
          stamp,
          run !== '-' && run === ofRun ? 1 : 0,
          Math.min(limit, LONGEST_PAGE),
        ],
        PAGE_TIMEOUT_MS,
      );
    this.clock.note(Number(time), asked, performance.now());
    this.reading = more === 1;
    const parsed = entries.map(parse);
    return {
      restarted: restarted === 1,
      cursor: `${current} ${run} ${last} ${version}`,
      added: parsed.filter((_, index) => removed[index] === null),
      removed: parsed.filter((_, index) => removed[index] !== null),
      more: more === 1,
      ...(incomplete === 1 ? { incomplete: true } : {}),
    };
  }

  peek(use: RefreshUse): Promise<RefreshOutcome> {
    return this.use(use, false);
  }

  async consume(use: RefreshUse, replay?: Replay): Promise<RefreshOutcome> {
    const outcome = await this.use(use, true, replay);
    if (outcome.state === 'fresh' && use.nonce !== undefined) this.settle(use.id, use.nonce);
    return outcome;
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
      // A duration, not a time of day: the server's clock may differ from this one.
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
      throw new StateUnavailableException(
        `${this.description}: counting is paused after a failure`,
      );
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
    return inOrder(records.map(parseSession), this.clock.now);
  }

  async listSessions(owner: string): Promise<readonly SessionRecord[]> {
    const records = await this.connection.evaluate<string[]>(
      GET_SESSIONS,
      [sessions(owner)],
      [],
      TIMEOUT_MS,
    );
    return inOrder(records.map(parseSession), this.clock.now);
  }

  async removeSessions(owner: string, sids: readonly string[]): Promise<void> {
    await this.connection.evaluate(REMOVE_SESSIONS, [sessions(owner)], [...sids], TIMEOUT_MS);
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  private async add(
    revocations: readonly Revocation[],
    reach: number | undefined,
    incompleteMs: number,
  ): Promise<string> {
    const args = revocations.flatMap(({ before, ...entry }) => [
      entry.id,
      nameOf(entry),
      JSON.stringify({ ...entry, name: nameOf(entry) }),
      before ?? '',
      entry.expiresAt ?? '',
    ]);
    return this.connection.evaluate<string>(
      ADD,
      [NAMED, VERSION, ENTRIES, LOG, EXPIRY, STAMPS, INCOMPLETE],
      [reach ?? '', this.clock.reached ?? 0, incompleteMs, ...args],
      incompleteMs > 0 ? PAGE_TIMEOUT_MS : TIMEOUT_MS,
    );
  }

  /**
   * Deletes some of what has expired, and names the history if it has no name yet. Because this writes, it also shows
   * whether the server takes writes.
   */
  private async purge(): Promise<void> {
    try {
      await this.connection.evaluate(
        PURGE,
        [NAMED, ENTRIES, LOG, EXPIRY, REMOVED, HISTORY, USED_EXPIRY, USED],
        [randomUUID(), this.forgetting.horizon ?? 0],
        TIMEOUT_MS,
      );
      this.connection.noteWritten();
      await this.settleRest();
    } catch (error) {
      if (!(error instanceof StateReadOnlyException)) throw error;
    }
  }

  /** Tells the server that the answer about a use has arrived. No request waits for this. */
  private settle(id: string, nonce: string): void {
    if (this.unsettled.size >= MAX_UNSETTLED)
      this.unsettled.delete(this.unsettled.keys().next().value as string);
    this.unsettled.set(id, nonce);
    void this.tellSettled(id, nonce).catch(() => undefined);
  }

  /** Tells the server of uses that {@link settle} could not tell it of. */
  private async settleRest(): Promise<void> {
    const rest = [...this.unsettled].slice(0, SETTLED_AT_ONCE);
    await Promise.all(rest.map(([id, nonce]) => this.tellSettled(id, nonce)));
  }

  private async tellSettled(id: string, nonce: string): Promise<void> {
    const keys = [USED + id, REPLAY + id];
    await this.connection.evaluate(SETTLE, keys, [nonce], TIMEOUT_MS);
    this.unsettled.delete(id);
  }

  /** Name of a key that is used alone, with its own hash tag; in a cluster, with the shared one: one node has all. */
  private own(kind: string, name: string): string {
    return this.connection.clustered ? key(`${kind}:${name}`) : `signet:{${kind}:${name}}`;
  }

  private async use(
    { id, expiresAt, subject, nonce }: RefreshUse,
    consume: boolean,
    replay?: Replay,
  ): Promise<RefreshOutcome> {
    const names = subject.names.flatMap((name) =>
      [nameOf, nameInClear].map((way) => ({ key: NAMED + way(name), kind: name.kind })),
    );
    const { latest } = this.clock;
    const [state, left] = await this.connection.evaluate<
      ['fresh' | 'consumed' | 'revoked' | 'late', (string | null)?]
    >(
      CONSUME,
      [USED + id, REPLAY + id, USED_EXPIRY, ...names.map((name) => name.key)],
      [
        consume ? 1 : 0,
        nonce ?? '',
        expiresAt,
        id,
        replay?.value ?? '',
        Math.ceil(replay?.ttlMs ?? 0),
        // A stalled connection may deliver the command after the caller has given up; the script then refuses it.
        consume && latest !== undefined ? latest + TIMEOUT_MS / 1000 : '',
        ...names.map(({ kind }) => comparedTime(subject, kind) ?? ''),
      ],
      TIMEOUT_MS,
    );
    if (state === 'late')
      throw new StateUnavailableException(`${this.description}: it arrived too late`);
    return state === 'consumed' && typeof left === 'string' ? { state, replay: left } : { state };
  }
}

const parseSession = (record: string): SessionRecord => JSON.parse(record) as SessionRecord;

/** Takes the place of an entry that cannot be read; its kind is none of the known ones. */
const UNREADABLE = { id: '', kind: '', value: '', before: null, createdAt: 0, expiresAt: null };

/** Reads an entry; members that only a newer version knows are left out. */
function parse(entry: string | null): Revocation {
  let members: unknown = UNREADABLE;
  try {
    members = JSON.parse(entry ?? 'null') ?? UNREADABLE;
  } catch {
    // Another program has written the entry.
  }
  const { id, kind, value, before, reason, createdAt, expiresAt } = members as Revocation;
  return { id, kind, value, before, reason, createdAt, expiresAt };
}
