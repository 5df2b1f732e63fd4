import { Injectable } from '@nestjs/common';
import { Revocations } from '../state/index.js';
import type { PresentedToken } from './issued-tokens.service.js';

/** Ends a presented token or its session, on all workers and nodes within a second. */
@Injectable()
export class SessionEnd {
  constructor(private readonly revocations: Revocations) {}

  /**
   * Ends the token's session: all its tokens, and those that would follow. Without `sid` an access token ends alone,
   * and a refresh token together with the other tokens of its answer.
   */
  async endSession(token: PresentedToken, reason: string): Promise<void> {
    const { kind, claims, session } = token;
    if (claims.sid === undefined) await this.endToken(token, reason);
    if (claims.sid !== undefined || kind === 'refresh')
      await this.revocations.revoke({ kind: 'sid', value: session, reason });
  }

  /** Ends the token alone. It is named by its digest, since other tokens may have the same `jti`. */
  async endToken({ digest, deadFrom: expiresAt }: PresentedToken, reason: string): Promise<void> {
    // If the clock is wrong, a token that has expired by it is accepted again once the clock is set right. So a token
    // is skipped only if it expired long ago.
    if (this.revocations.isLongPast(expiresAt)) return;
    await this.revocations.revoke({ kind: 'jti', value: digest, expiresAt, reason });
  }
}
