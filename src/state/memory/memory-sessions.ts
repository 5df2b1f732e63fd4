import { epochSeconds } from '../../core/time/index.js';
import { inOrder, type SessionRecord, type SessionRecords } from '../session-records.js';
import { StateUnavailableException } from '../state-unavailable.exception.js';

/** Most sessions of all users, about 500 bytes each. None is evicted: a session that is not listed cannot be ended. */
const MAX_SESSIONS = 100_000;

/** Sessions of one process. */
export class MemorySessions implements SessionRecords {
  private readonly byOwner = new Map<string, Map<string, SessionRecord>>();
  private size = 0;

  async putSession(owner: string, session: SessionRecord): Promise<readonly SessionRecord[]> {
    if (this.size >= MAX_SESSIONS) this.sweep(epochSeconds());
    if (this.size >= MAX_SESSIONS)
      throw new StateUnavailableException(`memory: ${MAX_SESSIONS} sessions are there already`);
    let own = this.byOwner.get(owner);
    if (own === undefined) this.byOwner.set(owner, (own = new Map()));
    if (!own.has(session.sid)) this.size++;
    own.set(session.sid, session);
    return inOrder(own.values(), epochSeconds());
  }

  async listSessions(owner: string): Promise<readonly SessionRecord[]> {
    return inOrder(this.byOwner.get(owner)?.values() ?? [], epochSeconds());
  }

  async countSessions(limit: number): Promise<number> {
    this.sweep(epochSeconds());
    return Math.min(this.size, limit);
  }

  async removeSessions(owner: string, sids: readonly string[]): Promise<void> {
    const own = this.byOwner.get(owner);
    if (own === undefined) return;
    for (const sid of sids) if (own.delete(sid)) this.size--;
    if (own.size === 0) this.byOwner.delete(owner);
  }

  /** Drops what has expired. */
  sweep(now: number): void {
    for (const [owner, own] of this.byOwner) {
      for (const [sid, { expiresAt }] of own) if (expiresAt <= now && own.delete(sid)) this.size--;
      if (own.size === 0) this.byOwner.delete(owner);
    }
  }

  clear(): void {
    this.byOwner.clear();
    this.size = 0;
  }
}
