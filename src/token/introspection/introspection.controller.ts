import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Body,
  Controller,
  Header,
  HttpCode,
  Inject,
  Optional,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { STATE_STORE, type StateStore } from '../../state/index.js';
import { Public } from '../../auth/index.js';
import { isKeyBound } from '../../core/claims/index.js';
import { Operation } from '../../routes/index.js';
import { TokenThrottleGuard } from '../../throttle/index.js';
import { IssuedTokens, type PresentedToken } from '../../session/index.js';
import { IntrospectionAccess } from './introspection-access.service.js';
import { RefreshGrant, refreshUse } from '../refresh/refresh-grant.service.js';
import { requestParameters, requireParameter } from '../request/token-request.js';
import { INTROSPECT_TOKEN } from './introspection.operations.js';

/** `POST /token/introspect` (RFC 7662). Public for `AuthGuard`: {@link IntrospectionAccess} decides who may ask. */
@Controller('token')
@Public()
@UseGuards(TokenThrottleGuard)
export class IntrospectionController {
  constructor(
    private readonly access: IntrospectionAccess,
    private readonly tokens: IssuedTokens,
    @Inject(STATE_STORE) private readonly store: StateStore,
    @Optional() private readonly grant?: RefreshGrant,
  ) {}

  /** The answer for an inactive token says only that it is inactive (section 2.2). */
  @Post('introspect')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation(INTROSPECT_TOKEN)
  async introspect(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
    @Body() body?: unknown,
  ): Promise<Record<string, unknown>> {
    const parameters = requestParameters(request, body);
    await this.access.assertMayAsk(request, response, parameters);
    const token = await this.tokens.recognize(requireParameter('token', parameters), 'live');
    return token !== undefined && (await this.isActive(token)) ? describe(token) : INACTIVE;
  }

  /** False for a refresh token that was used already, or whose session is too old. */
  private async isActive(token: PresentedToken): Promise<boolean> {
    if (token.kind === 'access') return true;
    if (this.grant?.isPast(token) === true) return false;
    return (await this.store.peek(refreshUse(token))).state === 'fresh';
  }
}

const INACTIVE = { active: false };

/**
 * The answer for an active token (section 2.2): its claims under their own names, `scope` as one string, and `username`
 * if a claim tells it. Only an access token has a `token_type`, so that a refresh token is not taken for one.
 */
function describe({ kind, claims }: PresentedToken): Record<string, unknown> {
  const { token_type: _claim, scope, ...others } = claims;
  const username = others.username ?? others.preferred_username;
  return {
    ...others,
    ...(scope === undefined ? {} : { scope: Array.isArray(scope) ? scope.join(' ') : scope }),
    ...(typeof username === 'string' ? { username } : {}),
    ...(kind === 'access' ? { token_type: isKeyBound(claims) ? 'DPoP' : 'Bearer' } : {}),
    token_use: kind,
    active: true,
  };
}
