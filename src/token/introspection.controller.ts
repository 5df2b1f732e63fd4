import type { IncomingMessage } from 'node:http';
import { Body, Controller, Header, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { RequireJwt } from '../auth/index.js';
import { STATE_STORE, type StateStore } from '../state/index.js';
import { isKeyBound } from '../core/claims/index.js';
import { Operation } from '../routes/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import { IssuedTokens, type PresentedToken } from '../session/index.js';
import { refreshUse } from './refresh-grant.service.js';
import { requireParameter } from './token-request.js';
import { INTROSPECT_TOKEN } from './introspection.operations.js';

/** `POST /token/introspect` (RFC 7662), for holders of an admin role. */
@Controller('token')
@UseGuards(TokenThrottleGuard)
export class IntrospectionController {
  constructor(
    private readonly tokens: IssuedTokens,
    @Inject(STATE_STORE) private readonly store: StateStore,
  ) {}

  /** Of a token that is not active nothing is told but that (section 2.2). */
  @Post('introspect')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @RequireJwt({ admin: true })
  @Operation(INTROSPECT_TOKEN)
  async introspect(
    @Req() request: IncomingMessage,
    @Body() body?: unknown,
  ): Promise<Record<string, unknown>> {
    const token = await this.tokens.recognize(requireParameter('token', request, body), 'live');
    return token !== undefined && (await this.isActive(token)) ? describe(token) : INACTIVE;
  }

  /** A refresh token that was used already is of no use any more. */
  private async isActive(token: PresentedToken): Promise<boolean> {
    if (token.kind === 'access') return true;
    return (await this.store.peek(refreshUse(token, token.subject.sid))).state === 'fresh';
  }
}

const INACTIVE = { active: false };

/** Section 2.2: the claims under their own names, and `scope` as one text. */
function describe({ kind, claims }: PresentedToken): Record<string, unknown> {
  const { scope } = claims;
  return {
    ...claims,
    ...(Array.isArray(scope) ? { scope: scope.join(' ') } : {}),
    ...(kind === 'access' ? { token_type: isKeyBound(claims) ? 'DPoP' : 'Bearer' } : {}),
    active: true,
  };
}
