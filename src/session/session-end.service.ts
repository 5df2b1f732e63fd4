import { Injectable } from '@nestjs/common';
import { Revocations } from '../state/index.js';
import type { PresentedToken } from './issued-tokens.service.js';
import { epochSeconds } from '../core/time/index.js';

/** Ends what a presented token stands for; on all workers and nodes within a second. */
@Injectable()
export class SessionEnd {
  constructor(private readonly revocations: Revocations) {}

  /** The token's session, all its tokens and those that would follow; the token alone where it has none. */
  async endSession(token: PresentedToken, reason: string): Promise<void> {
    const { kind, id, subject } = token;
    if (subject.sid === undefined) await this.endToken(token, reason);
    // The successors of a refresh token without sid use its id as their sid.
    if (subject.sid !== undefined || kind === 'refresh')
      await this.revocations.revoke({ kind: 'sid', value: subject.sid ?? id, reason });
  }

  /** The token alone. */
  async endToken({ id, claims }: PresentedToken, reason: string): Promise<void> {
    const expiresAt = Math.ceil(claims.exp);
    if (expiresAt <= epochSeconds()) return;
    await this.revocations.revoke({ kind: 'jti', value: id, expiresAt, reason });
  }
}
