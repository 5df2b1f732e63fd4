import { hash, randomUUID } from 'node:crypto';
import { timeOf, type Revocation, type RevocationName } from '../../core/revocation/index.js';
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
/** Pages and what is given back: no request waits for them. */
const PAGE_TIMEOUT_MS = 3000;
/** A throttle that makes everybody wait is worse than one that does not know everything. */
const HIT_TIMEOUT_MS = 50;
/** After one that took too long, hits fail at once for so long. */
const HIT_PAUSE_MS = 1000;
/** What Lua can hand to one command. */
const LONGEST_PAGE = 5000;
/** Uses whose answer has arrived and which the server does not know of yet. */
const MAX_UNSETTLED = 10_000;
/** Of those, so many are told in one poll. */
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
/** Named so by version 0.1. */
const LATEST_EXPIRY = key('horizon');
const sessions = (owner: string): string => key(`sessions:${owner}`);
/** How version 0.1 named what a token can be revoked by. */
const nameInClear = ({ kind, value }: RevocationName): string => `${kind}:${value}`;
/** The same as a digest: names of keys come into logs, lists and metrics of the server, and a `sub` tells of a person. */
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
  /** By id of the use: the nonce. */
  private readonly unsettled = new Map<string, string>();
  /** There are more changes than were told. */
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
   * Deletes some of what has expired, sees to it that the history has a name, and so finds out whether the server takes
   * writes.
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

  /** Tells the server that the answer about a use has arrived. Nobody waits for it. */
  private settle(id: string, nonce: string): void {
    if (this.unsettled.size >= MAX_UNSETTLED)
      this.unsettled.delete(this.unsettled.keys().next().value as string);
    this.unsettled.set(id, nonce);
    void this.tellSettled(id, nonce).catch(() => undefined);
  }

  /** What could not be told when it was due. */
  private async settleRest(): Promise<void> {
    const rest = [...this.unsettled].slice(0, SETTLED_AT_ONCE);
    await Promise.all(rest.map(([id, nonce]) => this.tellSettled(id, nonce)));
  }

  private async tellSettled(id: string, nonce: string): Promise<void> {
    const keys = [USED + id, REPLAY + id];
    await this.connection.evaluate(SETTLE, keys, [nonce], TIMEOUT_MS);
    this.unsettled.delete(id);
  }

  /** Name of a key that stands for itself. Of a cluster, one node has all of them. */
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
        // A connection that stood still may deliver it when nobody waits any more.
        consume && latest !== undefined ? latest + TIMEOUT_MS / 1000 : '',
        ...names.map(({ kind }) => timeOf(subject, kind) ?? ''),
      ],
      TIMEOUT_MS,
    );
    if (state === 'late')
      throw new StateUnavailableException(`${this.description}: it came too late`);
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
