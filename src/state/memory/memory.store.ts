import {
  covers,
  comparedTime,
  type Revocation,
  type RevocationSubject,
} from '../../core/revocation/index.js';
import { followClock, latestTime } from '../clock-record.js';
import { Forgetting } from '../forgetting.js';
import { MemorySessions } from './memory-sessions.js';
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
import { epochSeconds } from '../../core/time/index.js';

interface Entry {
  readonly revocation: Revocation;
  version: number;
  /** The version with which the entry was added. */
  readonly born: number;
  removed: boolean;
}
interface Consumed {
  readonly expiresAt: number;
  readonly nonce: string | undefined;
  readonly replay?: { readonly value: string; readonly until: number };
}
interface Kept {
  readonly value: string;
  /** Seconds since 1970. */
  readonly endsAt: number;
}
interface Counter {
  hits: number;
  readonly endsAt: number;
}

const SWEEP_MS = 60_000;
/** Most counters. A further one replaces the oldest: a limit of memory matters more than its count. */
const MAX_COUNTERS = 100_000;
/** Most values that are kept, about 200 bytes each. None is evicted: what was used must stay used. */
const MAX_KEPT = 100_000;

const subjectKey = (kind: string, value: string): string => `${kind}:${value}`;

/** State of one process that ends with it: for development and tests. */
export class MemoryStore implements StateStore {
  readonly description = 'memory';
  readonly scope = 'process';

  /** In the order of versions. An entry that was changed is appended again with its new version. */
  private log: { readonly version: number; readonly entry: Entry }[] = [];
  private readonly entries = new Map<string, Entry>();
  private readonly bySubject = new Map<string, Entry[]>();
  private readonly consumed = new Map<string, Consumed>();
  private readonly kept = new Map<string, Kept>();
  private readonly counters = new Map<string, Counter>();
  private readonly sessions = new MemorySessions();
  private version = 0;
  private latestExpiry = 0;
  private clockRecord = followClock(undefined);
  private readonly forgetting = new Forgetting();
  private sweptAt = performance.now();

  async addRevocation(revocation: Revocation, reach?: number): Promise<Revocation> {
    this.sweep();
    this.clockRecord = followClock(this.clockRecord);
    const until = latestTime(this.clockRecord);
    const before = reach === undefined ? revocation.before : Math.floor(until) + reach;
    return this.keepRevocation({ ...revocation, before });
  }

  async restore(revocations: readonly Revocation[]): Promise<void> {
    for (const revocation of revocations) this.keepRevocation(revocation);
  }

  async removeRevocation(id: string): Promise<Revocation | undefined> {
    const entry = this.entries.get(id);
    if (entry === undefined || !isAlive(entry, epochSeconds())) return undefined;
    entry.removed = true;
    this.forgetSubject(entry);
    this.append(entry);
    return entry.revocation;
  }

  async listRevocations(page: { after?: string; limit: number }): Promise<readonly Revocation[]> {
    const from = page.after === undefined ? 0 : (this.entries.get(page.after)?.born ?? 0);
    const now = epochSeconds();
    const found: Revocation[] = [];
    for (let index = this.indexAfter(from); index < this.log.length; index++) {
      if (found.length === page.limit) break;
      const { version, entry } = this.log[index] as MemoryStore['log'][number];
      if (entry.version === version && isAlive(entry, now)) found.push(entry.revocation);
    }
    return found;
  }

  async changes(cursor: ChangeCursor | undefined, limit: number): Promise<RevocationChanges> {
    this.sweep();
    this.clockRecord = followClock(this.clockRecord);
    const added: Revocation[] = [];
    const removed: Revocation[] = [];
    let last = Number(cursor ?? 0);
    let index = this.indexAfter(last);
    for (; index < this.log.length && added.length + removed.length < limit; index++) {
      const { version, entry } = this.log[index] as MemoryStore['log'][number];
      last = version;
      if (entry.version !== version) continue;
      (entry.removed ? removed : added).push(entry.revocation);
    }
    return {
      restarted: false,
      cursor: String(last),
      added,
      removed,
      more: index < this.log.length,
    };
  }

  async peek(use: RefreshUse): Promise<RefreshOutcome> {
    return this.look(use);
  }

  async consume(use: RefreshUse, replay?: Replay): Promise<RefreshOutcome> {
    this.sweep();
    // There is no await between the check and the mark, so that no other request runs in between.
    const outcome = this.look(use);
    if (outcome.state === 'fresh' && !this.consumed.has(use.id))
      this.consumed.set(use.id, {
        expiresAt: use.expiresAt,
        nonce: use.nonce,
        replay:
          replay !== undefined && replay.ttlMs > 0
            ? { value: replay.value, until: Date.now() + replay.ttlMs }
            : undefined,
      });
    return outcome;
  }

  async noteExpiry(exp: number): Promise<number> {
    this.latestExpiry = Math.max(this.latestExpiry, exp);
    return this.latestExpiry;
  }

  async putIfAbsent(name: string, value: string, ttlMs: number): Promise<string> {
    this.sweep();
    const now = epochSeconds();
    const there = this.lookUp(name, now);
    if (there !== undefined) return there;
    if (this.kept.size >= MAX_KEPT) this.forgetEnded(now);
    if (this.kept.size >= MAX_KEPT)
      throw new StateUnavailableException(`memory: ${MAX_KEPT} values are kept already`);
    this.kept.set(name, { value, endsAt: now + ttlMs / 1000 });
    return value;
  }

  async getKept(name: string): Promise<string | undefined> {
    return this.lookUp(name, epochSeconds());
  }

  async hit(key: string, windowMs: number): Promise<Hits> {
    this.sweep();
    // Whole milliseconds: with a fraction, the subtraction below would not be exact.
    const now = Math.floor(performance.now());
    let counter = this.counters.get(key);
    if (counter === undefined || counter.endsAt <= now) {
      this.counters.delete(key);
      if (this.counters.size >= MAX_COUNTERS)
        this.counters.delete(this.counters.keys().next().value as string);
      counter = { hits: 0, endsAt: now + windowMs };
      this.counters.set(key, counter);
    }
    counter.hits++;
    return { hits: counter.hits, resetMs: counter.endsAt - now };
  }

  putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]> {
    this.sweep();
    return this.sessions.putSession(owner, session);
  }

  listSessions(owner: string): Promise<readonly SessionRecord[]> {
    return this.sessions.listSessions(owner);
  }

  countSessions(limit: number): Promise<number> {
    return this.sessions.countSessions(limit);
  }

  removeSessions(owner: string, sids: readonly string[]): Promise<void> {
    return this.sessions.removeSessions(owner, sids);
  }

  async close(): Promise<void> {
    this.log = [];
    this.sessions.clear();
    for (const map of [this.entries, this.bySubject, this.consumed, this.kept, this.counters])
      map.clear();
  }

  private keepRevocation(revocation: Revocation): Revocation {
    const there = this.entries.get(revocation.id);
    if (there !== undefined) return there.revocation;
    const born = this.version + 1;
    const entry: Entry = { revocation, version: born, born, removed: false };
    this.entries.set(revocation.id, entry);
    const key = subjectKey(revocation.kind, revocation.value);
    const others = this.bySubject.get(key);
    if (others === undefined) this.bySubject.set(key, [entry]);
    else others.push(entry);
    this.append(entry);
    return revocation;
  }

  private lookUp(name: string, now: number): string | undefined {
    const there = this.kept.get(name);
    return there !== undefined && there.endsAt > now ? there.value : undefined;
  }

  private look(use: RefreshUse): RefreshOutcome {
    const now = epochSeconds();
    if (this.isRevoked(use.subject, now)) return { state: 'revoked' };
    const consumed = this.consumed.get(use.id);
    if (consumed === undefined) return { state: 'fresh' };
    const { replay, nonce } = consumed;
    if (nonce !== undefined && nonce === use.nonce) return { state: 'fresh' };
    return replay !== undefined && replay.until > now * 1000
      ? { state: 'consumed', replay: replay.value }
      : { state: 'consumed' };
  }

  private isRevoked(subject: RevocationSubject, now: number): boolean {
    return subject.names.some(({ kind, value }) =>
      this.bySubject
        .get(subjectKey(kind, value))
        ?.some(
          (entry) => isAlive(entry, now) && covers(entry.revocation, comparedTime(subject, kind)),
        ),
    );
  }

  private append(entry: Entry): void {
    entry.version = ++this.version;
    this.log.push({ version: entry.version, entry });
  }

  /** Returns the index in the log of the first version after `version`. */
  private indexAfter(version: number): number {
    let low = 0;
    let high = this.log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.log[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private forgetSubject(entry: Entry): void {
    const { kind, value } = entry.revocation;
    const key = subjectKey(kind, value);
    const rest = this.bySubject.get(key)?.filter((other) => other !== entry) ?? [];
    if (rest.length === 0) this.bySubject.delete(key);
    else this.bySubject.set(key, rest);
  }

  private forgetEnded(now: number): void {
    for (const [name, { endsAt }] of this.kept) if (endsAt <= now) this.kept.delete(name);
  }

  /** Drops what has expired, at most once a minute. */
  private sweep(): void {
    if (performance.now() - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = performance.now();
    for (const [key, { endsAt }] of this.counters)
      if (endsAt <= this.sweptAt) this.counters.delete(key);
    const { horizon: now } = this.forgetting;
    if (now === undefined) return;
    this.forgetEnded(epochSeconds());
    for (const [id, entry] of this.entries)
      if (isExpired(entry, now)) {
        this.entries.delete(id);
        this.forgetSubject(entry);
      }
    this.log = this.log.filter(
      ({ version, entry }) => entry.version === version && !isExpired(entry, now),
    );
    for (const [jti, { expiresAt }] of this.consumed)
      if (expiresAt <= now) this.consumed.delete(jti);
    this.sessions.sweep(now);
  }
}

const isExpired = ({ revocation: { expiresAt } }: Entry, now: number): boolean =>
  expiresAt !== null && expiresAt <= now;
const isAlive = (entry: Entry, now: number): boolean => !entry.removed && !isExpired(entry, now);
