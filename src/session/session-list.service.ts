import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { claimText } from '../core/claims/index.js';
import { toNumber } from '../core/json/index.js';
import { claimName } from '../core/revocation/index.js';
import { oneLine } from '../core/text/index.js';
import {
  Revocations,
  STATE_STORE,
  type SessionRecord,
  type SessionRecords,
} from '../state/index.js';
import { claimsOf, tokensIn } from './answer-tokens.js';
import { networkOf } from './network.js';
import {
  MOST_SESSIONS,
  SESSION_LIST_OPTIONS,
  type SessionListModuleOptions,
} from './session-list.module-definition.js';

const MAX_TEXT = 256;
/** Sessions of all users are counted up to here, and so often at most. */
const MAX_COUNT = 100_000;
const COUNT_EVERY_MS = 30_000;

/** How many sessions there are, of all users. */
export interface SessionCount {
  readonly count: number;
  /** There are more. */
  readonly more: boolean;
}

/** Which sessions of a user there are, and their end. A user is named by `sub`, as tokens are revoked by it. */
@Injectable()
export class SessionList {
  private readonly limit: number;
  private readonly absoluteTtl: number;
  private counted: SessionCount | undefined;
  /** From when on the store is asked again. */
  private countAt = 0;

  constructor(
    @Inject(SESSION_LIST_OPTIONS) { limit, absoluteTtl }: SessionListModuleOptions,
    @Inject(STATE_STORE) private readonly store: SessionRecords,
    private readonly revocations: Revocations,
  ) {
    this.limit = Math.min(limit ?? MOST_SESSIONS, MOST_SESSIONS);
    this.absoluteTtl = absoluteTtl ?? Infinity;
  }

  /**
   * Notes the session whose tokens an answer brings. At a login the oldest sessions end that are too many.
   *
   * @param answer signed; one without `sub` and `sid` in a token is nothing that a user has
   * @throws StateUnavailableException
   */
  async note(
    request: IncomingMessage,
    answer: Readonly<Record<string, unknown>>,
    isLogin: boolean,
  ): Promise<void> {
    const claims = tokensIn(answer).map(claimsOf);
    const sub = first(claims, ({ sub: name }) => claimName(name));
    const sid = first(claims, ({ sid: name }) => claimName(name));
    if (sub === undefined || sid === undefined) return;
    const owner = ownerOf(sub);
    const { now } = this.revocations;
    const createdAt = isLogin ? now : await this.beginOf(owner, sid, claims);
    const record: SessionRecord = {
      sid,
      createdAt,
      usedAt: now,
      expiresAt: this.expiryOf(claims, createdAt),
      clientId: short(first(claims, ({ client_id: name }) => claimText(name))),
      userAgent: short(request.headers['user-agent']),
      network: networkOf(addressOf(request)),
    };
    const sessions = await this.store.putSession(owner, record);
    if (!isLogin || sessions.length <= this.limit) return;
    const alive = sessions.filter((one) => this.isAlive(sub, one));
    const surplus = alive.slice(0, Math.max(0, alive.length - this.limit));
    const gone = sessions.filter((one) => !alive.includes(one));
    await this.revoke(surplus, 'there were too many sessions');
    await this.forget(owner, [...gone, ...surplus]);
  }

  /**
   * The sessions of a user that go on, the oldest login first.
   *
   * @param sub see `nameOf`
   * @throws StateUnavailableException
   */
  async of(sub: string): Promise<readonly SessionRecord[]> {
    const sessions = await this.store.listSessions(ownerOf(sub));
    return sessions.filter((one) => this.isAlive(sub, one));
  }

  /**
   * Ends those sessions of a user that `isMeant` names, everywhere within a second.
   *
   * @returns how many
   * @throws StateUnavailableException
   */
  async end(
    sub: string,
    isMeant: (session: SessionRecord) => boolean,
    reason: string,
  ): Promise<number> {
    const sessions = (await this.of(sub)).filter(isMeant);
    await this.revoke(sessions, reason);
    await this.forget(ownerOf(sub), sessions);
    return sessions.length;
  }

  /**
   * Ends all sessions of a user, those that are not known here, too. A login after this is good at once.
   *
   * @throws StateUnavailableException
   */
  async endAll(sub: string, reason: string): Promise<void> {
    // What began in this second has to be told apart by its name.
    const before = this.revocations.issueTime();
    await this.revocations.revoke({ kind: 'sub', value: sub, before, reason });
    await this.end(sub, () => true, reason);
  }

  /**
   * How many sessions there are, as it was known last: it never waits for the store, and asks it once in 30 seconds at
   * most. `undefined` while it is not known, and where the store does not count.
   */
  get count(): SessionCount | undefined {
    const now = performance.now();
    if (this.store.countSessions !== undefined && now >= this.countAt) {
      this.countAt = now + COUNT_EVERY_MS;
      this.store.countSessions(MAX_COUNT + 1).then(
        (found) => {
          this.counted = { count: Math.min(found, MAX_COUNT), more: found > MAX_COUNT };
        },
        () => {
          this.counted = undefined;
        },
      );
    }
    return this.counted;
  }

  /** A session from before this was switched on, or that the store has lost, is known by its tokens. */
  private async beginOf(
    owner: string,
    sid: string,
    claims: readonly Record<string, unknown>[],
  ): Promise<number> {
    const known = (await this.store.listSessions(owner)).find((one) => one.sid === sid);
    return (
      known?.createdAt ?? first(claims, (all) => toNumber(all.auth_time)) ?? this.revocations.now
    );
  }

  /** It has not expired, and no revocation means it, by whatever way that came. */
  private isAlive(sub: string, { sid, usedAt, expiresAt }: SessionRecord): boolean {
    if (expiresAt <= this.revocations.now) return false;
    return !this.revocations.isRevoked({ claims: { sub, sid, iat: usedAt }, signingInput: '' });
  }

  private async revoke(sessions: readonly SessionRecord[], reason: string): Promise<void> {
    await Promise.all(
      sessions.map(({ sid }) => this.revocations.revoke({ kind: 'sid', value: sid, reason })),
    );
  }

  private async forget(owner: string, sessions: readonly SessionRecord[]): Promise<void> {
    const sids = sessions.map(({ sid }) => sid);
    if (sids.length > 0) await this.store.removeSessions(owner, sids);
  }

  /** When the last token is over. What can be refreshed is so until `absoluteTtl` at most. */
  private expiryOf(claims: readonly Record<string, unknown>[], createdAt: number): number {
    const ends = claims.map(({ exp }) => toNumber(exp) ?? 0);
    return Math.min(Math.max(...ends), Math.max(Math.min(...ends), createdAt + this.absoluteTtl));
  }
}

/** Names of keys hold it, so it must not tell who it is. */
const ownerOf = (sub: string): string => hash('sha256', sub, 'base64url');

function first<Value>(
  claims: readonly Record<string, unknown>[],
  read: (claims: Record<string, unknown>) => Value | undefined,
): Value | undefined {
  for (const one of claims) {
    const value = read(one);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Express' `ip` knows of proxies that are trusted. */
const addressOf = ({ ip, socket }: IncomingMessage & { ip?: string }): string =>
  ip ?? socket.remoteAddress ?? '';

/** What others wrote, for people to read. */
const short = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : oneLine(text).slice(0, MAX_TEXT).toWellFormed();
