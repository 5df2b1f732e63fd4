import { Injectable } from '@nestjs/common';
import { Revocations } from '../state/index.js';
import type { PresentedToken } from './issued-tokens.service.js';

/** Ends what a presented token stands for; on all workers and nodes within a second. */
@Injectable()
export class SessionEnd {
  constructor(private readonly revocations: Revocations) {}

  /**
   * The token's session, all its tokens and those that would follow. Without `sid` an access token stands
   * for itself alone, a refresh token for the tokens of its answer, too.
   */
  async endSession(token: PresentedToken, reason: string): Promise<void> {
    const { kind, claims, session } = token;
    if (claims.sid === undefined) await this.endToken(token, reason);
    if (claims.sid !== undefined || kind === 'refresh')
      await this.revocations.revoke({ kind: 'sid', value: session, reason });
  }

  /** The token alone, by what it is: others may have the same `jti`. */
  async endToken({ digest, deadFrom: expiresAt }: PresentedToken, reason: string): Promise<void> {
    // By a clock that is wrong it may have expired, and is accepted as soon as the clock is right.
    if (this.revocations.isLongPast(expiresAt)) return;
    await this.revocations.revoke({ kind: 'jti', value: digest, expiresAt, reason });
  }
}
