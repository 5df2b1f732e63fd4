import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Client } from '../core/clients/index.js';
import { Revocations } from '../state/index.js';
import { SignedAnswer, UnsignedAnswer } from '../signing/index.js';
import { RefreshGrant } from './refresh-grant.service.js';
import { beginSession, SessionCookies } from '../session/index.js';
import { TokenRequestException } from './token-request.exception.js';
import type { TokenAnswer } from './token-answer.js';
import type { TokenParameters } from './token-request.js';

/** What makes of a pair of tokens a session: a common `sid`, refresh, cookies. */
@Injectable()
export class TokenSessions {
  constructor(
    private readonly grant: RefreshGrant,
    private readonly cookies: SessionCookies,
    private readonly revocations: Revocations,
  ) {}

  /**
   * For a handler that returns the claims of a login: the answer, as the begin of a session. As it is
   * while refresh and cookies are off.
   */
  begin(response: ServerResponse, body: TokenAnswer): TokenAnswer | UnsignedAnswer {
    if (!this.grant.enabled && !this.cookies.enabled) return body;
    return new UnsignedAnswer(body, {
      complete: this.grant.enabled
        ? (claimSets) => beginSession(claimSets, this.revocations.issueTime(), body.scope)
        : undefined,
      commit: async (answer) => this.deliver(response, answer),
    });
  }

  /**
   * Answers `grant_type=refresh_token`: the token is the parameter of that name or, failing that,
   * the session cookie, for which the request has to come from the gateway's own origin.
   *
   * @param client who asks, where clients are registered
   * @throws TokenRequestException while refresh is off, or without a token
   * @throws RefreshRefusedException 400 `invalid_grant`
   * @throws TokenRequestException 400 `invalid_scope` or `invalid_target`
   */
  async refresh(
    request: IncomingMessage,
    response: ServerResponse,
    parameters: TokenParameters,
    client?: Client,
  ): Promise<UnsignedAnswer | SignedAnswer> {
    if (!this.grant.enabled)
      throw new TokenRequestException('grant_unsupported', 'Refresh is not switched on here.');
    const token = parameters('refresh_token') ?? this.cookies.refreshToken(request);
    if (token === undefined)
      throw new TokenRequestException('body_malformed', 'The parameter refresh_token is missing.');
    const result = await this.grant.exchange(request, token, parameters, client);
    if (result instanceof SignedAnswer) {
      this.deliver(response, result.body);
      return result;
    }
    const { body, steps } = result;
    return new UnsignedAnswer(body, {
      ...steps,
      commit: async (answer) => this.deliver(response, (await steps.commit?.(answer)) ?? answer),
    });
  }

  private deliver(
    response: ServerResponse,
    answer: Record<string, unknown>,
  ): Record<string, unknown> {
    if (this.cookies.enabled) this.cookies.set(response, answer);
    return answer;
  }
}
