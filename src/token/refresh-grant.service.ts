import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { BackendClient, BackendRefusedException } from '../backend/index.js';
import { claimText } from '../core/claims/index.js';
import { toNumber } from '../core/json/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { SignedAnswer, UnsignedAnswer } from '../signing/index.js';
import {
  Revocations,
  STATE_STORE,
  type RefreshOutcome,
  type RefreshUse,
  type StateStore,
} from '../state/index.js';
import {
  OAUTH_OPTIONS,
  type OAuthModuleOptions,
  type RefreshOptions,
} from './oauth.module-definition.js';
import { IssuedTokens, type PresentedToken, continueSession } from '../session/index.js';
import { RefreshRefusedException } from './refresh.exceptions.js';
import { isProofRefusal, ProofRefusedException } from './proof-refused.exception.js';
import { openAnswer, sealAnswer } from './sealed-answer.js';
import { TokenEndpointProofs } from './token-endpoint-proofs.service.js';
import { epochSeconds } from '../core/time/index.js';
import type { TokenHolder } from '../core/verify/index.js';

/** Statuses with which a backend says that the login does not stand any more. */
const LOGIN_ENDED = new Set([400, 401, 403, 404, 410]);

/**
 * The refresh token grant (RFC 6749 section 6) with rotation and detection of reuse (RFC 9700
 * section 4.14.2). A token is consumed when its successors are signed: a failure before that, of
 * the backend for one, costs nobody a session.
 */
@Injectable()
export class RefreshGrant {
  private readonly logger = new Logger(RefreshGrant.name);

  constructor(
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthModuleOptions,
    @Inject(STATE_STORE) private readonly store: StateStore,
    private readonly revocations: Revocations,
    private readonly tokens: IssuedTokens,
    private readonly backend: BackendClient,
    private readonly proofs: TokenEndpointProofs,
  ) {}

  /** Whether refresh tokens are taken at all. */
  get enabled(): boolean {
    return this.options.refresh !== undefined;
  }

  /**
   * Takes a refresh token and asks the backend for the claims of its successors.
   *
   * @param clientId `client_id` of the request, which has to be the token's where both name one
   * @returns claims to sign; a {@link SignedAnswer} for a repetition within the retry window
   * @throws RefreshRefusedException (400 `invalid_grant`); ProofRefusedException (400 `invalid_dpop_proof`) for a
   * token that is bound to another key than that of the request's proof; what the backend and the state store fail with
   */
  async exchange(
    request: IncomingMessage,
    token: string,
    clientId: string | undefined,
  ): Promise<UnsignedAnswer | SignedAnswer> {
    const options = this.options.refresh as RefreshOptions;
    const presented = await this.verify(token, this.proofs.holder(request));
    const { claims, id } = presented;
    assertClient(claims.client_id, clientId);
    const authTime = toNumber(claims.auth_time) ?? toNumber(claims.iat) ?? 0;
    if (epochSeconds() >= authTime + options.absoluteTtl)
      throw invalid('the login is longer ago than the option absoluteTtl of OAuthModule allows');
    // Tokens from before refresh was switched on have no sid; their successors get one.
    const sid = claimText(claims.sid) === undefined ? id : claims.sid;
    const use = refreshUse(presented, claimText(sid));
    const outcome = await this.store.peek(use);
    if (outcome.state !== 'fresh')
      return new SignedAnswer(await this.repeated(outcome, use, token));

    const body = await this.askBackend(request, options.path, { ...claims, sid });
    return new UnsignedAnswer(body, {
      complete: (claimSets) => continueSession(claimSets, { sid, authTime }),
      commit: async (answer) => {
        const until = Date.now() + options.retryWindow * 1000;
        const replay =
          options.retryWindow > 0 ? { value: sealAnswer(token, answer), until } : undefined;
        const decided = await this.store.consume(use, replay);
        // Of several requests at the same time one wins; the others get its answer.
        return decided.state === 'fresh' ? answer : this.repeated(decided, use, token);
      },
    });
  }

  private async verify(token: string, holder: TokenHolder): Promise<PresentedToken> {
    try {
      return await this.tokens.verifyRefresh(token, holder);
    } catch (error) {
      if (isProofRefusal(error)) throw new ProofRefusedException(error);
      if (error instanceof TokenRefusedError) throw invalid(`${error.code}: ${error.explanation}`);
      throw error;
    }
  }

  private async askBackend(
    request: IncomingMessage,
    path: string,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const { sub, sid } = claims;
    try {
      const answer = await this.backend.call<Record<string, unknown>>({
        method: 'POST',
        path,
        from: request,
        body: Buffer.from(JSON.stringify({ sub, sid, claims })),
      });
      return answer.body;
    } catch (error) {
      if (error instanceof BackendRefusedException && LOGIN_ENDED.has(error.getStatus()))
        throw invalid(`the backend refused to go on with the session (${error.getStatus()})`);
      throw error;
    }
  }

  /** A token that was used before: its answer again, or the end of the session. */
  private async repeated(
    outcome: RefreshOutcome,
    { subject }: RefreshUse,
    token: string,
  ): Promise<Record<string, unknown>> {
    if (outcome.state === 'revoked') throw invalid('the token or its session is revoked');
    const replay = outcome.state === 'consumed' ? outcome.replay : undefined;
    const answer = replay === undefined ? undefined : openAnswer(token, replay);
    if (answer !== undefined) return answer;
    await this.revocations.revoke({
      kind: 'sid',
      value: subject.sid ?? '',
      reason: 'a refresh token was used twice',
    });
    this.logger.warn('A refresh token was used twice: its session is revoked');
    throw new RefreshRefusedException('refresh_token_reused', 'the token was used before');
  }
}

const invalid = (explanation: string): RefreshRefusedException =>
  new RefreshRefusedException('refresh_token_invalid', explanation);

/** The use of a presented refresh token, as the state store knows it. */
export function refreshUse(
  { claims, id, subject }: PresentedToken,
  sid: string | undefined,
): RefreshUse {
  return { jti: id, expiresAt: Math.ceil(claims.exp), subject: { ...subject, sid } };
}

/** RFC 6749 section 6: a refresh token is bound to the client it was issued to. */
function assertClient(owner: unknown, client: string | undefined): void {
  const name = claimText(owner);
  if (name !== undefined && client !== undefined && name !== client)
    throw invalid('the token was issued to another client_id');
}
