import type { IncomingMessage } from 'node:http';
import { Body, Controller, Header, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { Public } from '../auth/index.js';
import { Operation } from '../routes/index.js';
import { TokenThrottleGuard } from '../throttle/index.js';
import { IssuedTokens, SessionEnd } from '../session/index.js';
import { requireParameter } from './token-request.js';
import { REVOKE_TOKEN } from './revocation-endpoint.operations.js';

/** `POST /token/revoke` (RFC 7009). The token itself is the credential: who holds it may end it. */
@Controller('token')
@Public()
@UseGuards(TokenThrottleGuard)
export class RevocationEndpointController {
  constructor(
    private readonly tokens: IssuedTokens,
    private readonly sessions: SessionEnd,
  ) {}

  /** A refresh token takes its whole session with it. An unknown token is not an error (section 2.2). */
  @Post('revoke')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation(REVOKE_TOKEN)
  async revoke(@Req() request: IncomingMessage, @Body() body?: unknown): Promise<void> {
    const token = await this.tokens.recognize(requireParameter('token', request, body), 'any');
    if (token?.kind === 'refresh') await this.sessions.endSession(token, 'revoked by its holder');
    else if (token !== undefined) await this.sessions.endToken(token, 'revoked by its holder');
  }
}
