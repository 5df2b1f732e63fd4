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
/** Sessions of all users are counted up to this number, and at most once in `COUNT_EVERY_MS`. */
const MAX_COUNT = 100_000;
const COUNT_EVERY_MS = 30_000;

/** Number of sessions of all users. */
export interface SessionCount {
  readonly count: number;
  /** True if there are more than `count`. */
  readonly more: boolean;
}

/** Lists and ends the sessions of a user. `sub` is the name of the user in revocations, see `nameOf`. */
@Injectable()
export class SessionList {
  private readonly limit: number;
  private readonly absoluteTtl: number;
  private counted: SessionCount | undefined;
  /** Time of the next count, by `performance.now()`. */
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
   * Stores the session of an answer. At a login, the oldest sessions beyond the limit end.
   *
   * @param answer the signed answer; it is ignored if no token has a `sub`, or none a `sid`
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
   * The active sessions of a user, the oldest login first.
   *
   * @param sub see `nameOf`
   * @throws StateUnavailableException
   */
  async of(sub: string): Promise<readonly SessionRecord[]> {
    const sessions = await this.store.listSessions(ownerOf(sub));
    return sessions.filter((one) => this.isAlive(sub, one));
  }

  /**
   * Ends the sessions of a user that `isMeant` selects, on all workers and nodes within a second.
   *
   * @returns the number of sessions
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
   * Ends all sessions of a user, also those that are not in the list. A login after this is valid at once.
   *
   * @throws StateUnavailableException
   */
  async endAll(sub: string, reason: string): Promise<void> {
    // The revocation does not cover sessions that began in this second. They are ended by their `sid`.
    const before = this.revocations.issueTime();
    await this.revocations.revoke({ kind: 'sub', value: sub, before, reason });
    await this.end(sub, () => true, reason);
  }

  /**
   * The last known number of sessions. It never waits for the store, and asks it once in 30 seconds at most.
   * `undefined` while the number is not known, and where the store does not count.
   */
  get count(): SessionCount | undefined {
    const now = performance.now();
    if (now >= this.countAt) {
      this.countAt = now + COUNT_EVERY_MS;
      void this.recount();
    }
    return this.counted;
  }

  private async recount(): Promise<void> {
    try {
      const found = await this.store.countSessions?.(MAX_COUNT + 1);
      this.counted =
        found === undefined
          ? undefined
          : { count: Math.min(found, MAX_COUNT), more: found > MAX_COUNT };
    } catch {
      this.counted = undefined;
    }
  }

  /**
   * Time of the login. If the list does not contain the session, e.g. because it is older than the list, the tokens
   * tell it.
   */
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

  /** True if the session has not expired, and no revocation covers it, be it by `sid` or by `sub`. */
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

  /** Time at which the last token expires. A refresh token counts until the end of `absoluteTtl` at most. */
  private expiryOf(claims: readonly Record<string, unknown>[], createdAt: number): number {
    const ends = claims.map(({ exp }) => toNumber(exp) ?? 0);
    return Math.min(Math.max(...ends), Math.max(Math.min(...ends), createdAt + this.absoluteTtl));
  }
}

/** A digest, since stores write it into the names of keys, which must not tell who the user is. */
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

/** Address of the client. `ip` of Express takes trusted proxies into account. */
const addressOf = ({ ip, socket }: IncomingMessage & { ip?: string }): string =>
  ip ?? socket.remoteAddress ?? '';

/** A text of a client, for display: one line of at most 256 characters. */
const short = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : oneLine(text).slice(0, MAX_TEXT).toWellFormed();
