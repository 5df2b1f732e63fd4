import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Optional } from '@nestjs/common';
import type { Client } from '../core/clients/index.js';
import { Revocations } from '../state/index.js';
import { SignedAnswer, UnsignedAnswer } from '../signing/index.js';
import { RefreshGrant } from './refresh/refresh-grant.service.js';
import { beginSession, SessionCookies, SessionList, withoutTokens } from '../session/index.js';
import { TokenRequestException } from './request/token-request.exception.js';
import type { TokenAnswer } from './token-answer.js';
import type { TokenParameters } from './request/token-request.js';

/** Makes the tokens of a login a session: a common `sid`, refresh, cookies, and an entry in the list of sessions. */
@Injectable()
export class TokenSessions {
  constructor(
    private readonly grant: RefreshGrant,
    private readonly cookies: SessionCookies,
    private readonly revocations: Revocations,
    @Optional() private readonly list?: SessionList,
  ) {}

  /**
   * Checks a request whose answer begins or continues a session.
   *
   * @throws CsrfRefusedException where the answer would set cookies, and the request may come from a page of another
   * origin
   */
  assertMayBegin(request: IncomingMessage): void {
    this.cookies.assertMaySet(request);
  }

  /**
   * Begins a session with the answer of a login. Without refresh, cookies and session list the answer is not changed.
   *
   * @param byUser true for the login of a user, false for `client_credentials` (RFC 6749 section 4.4)
   */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    body: TokenAnswer,
    byUser: boolean,
  ): TokenAnswer | UnsignedAnswer {
    const list = byUser ? this.list : undefined;
    const hasSession = this.grant.enabled || list !== undefined;
    if (!hasSession && !this.cookies.enabled) return body;
    return new UnsignedAnswer(body, {
      complete: hasSession
        ? (claimSets) => beginSession(claimSets, this.revocations.issueTime(), body.scope)
        : undefined,
      commit: async (answer) => {
        await list?.note(request, answer, true);
        return this.deliver(response, answer);
      },
    });
  }

  /**
   * Answers `grant_type=refresh_token`. The refresh token is the parameter `refresh_token` or, without it, the session
   * cookie; with the cookie, the request has to come from the gateway's own origin or a trusted one, and the new tokens
   * are only sent as cookies.
   *
   * @param client the authenticated client, where clients are registered
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
    const parameter = parameters('refresh_token');
    const token = parameter ?? this.cookies.refreshToken(request);
    if (token === undefined)
      throw new TokenRequestException('body_malformed', 'The parameter refresh_token is missing.');
    const result = await this.grant.exchange(request, token, parameters, client);
    const deliver = (answer: Record<string, unknown>): Record<string, unknown> => {
      const delivered = this.deliver(response, answer);
      return parameter === undefined ? withoutTokens(delivered) : delivered;
    };
    if (result instanceof SignedAnswer) return new SignedAnswer(deliver(result.body));
    const { body, steps } = result;
    return new UnsignedAnswer(body, {
      ...steps,
      commit: async (answer) => {
        const committed = (await steps.commit?.(answer)) ?? answer;
        await this.list?.note(request, committed, false);
        return deliver(committed);
      },
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
