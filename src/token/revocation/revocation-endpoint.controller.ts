import type { IncomingMessage } from 'node:http';
import { Body, Controller, Header, HttpCode, Optional, Post, Req, UseGuards } from '@nestjs/common';
import { Public } from '../../auth/index.js';
import {
  ClientAuthentication,
  ClientRefusedException,
  ClientRegistry,
  hasClientCredentials,
  presentedClient,
} from '../../clients/index.js';
import { claimText } from '../../core/claims/index.js';
import { isConfidential } from '../../core/clients/index.js';
import { Operation } from '../../routes/index.js';
import { TokenThrottleGuard } from '../../throttle/index.js';
import { IssuedTokens, SessionEnd, type PresentedToken } from '../../session/index.js';
import {
  requestParameters,
  requireParameter,
  type TokenParameters,
} from '../request/token-request.js';
import { REVOKE_TOKEN } from './revocation-endpoint.operations.js';

/**
 * `POST /token/revoke` (RFC 7009). The token itself is the credential: any holder may revoke it, except for a token of
 * a confidential client, which has to authenticate.
 */
@Controller('token')
@Public()
@UseGuards(TokenThrottleGuard)
export class RevocationEndpointController {
  constructor(
    private readonly tokens: IssuedTokens,
    private readonly sessions: SessionEnd,
    @Optional() private readonly clients?: ClientAuthentication,
    @Optional() private readonly registry?: ClientRegistry,
  ) {}

  /**
   * Revokes a token of any type; with a refresh token its whole session ends. An unknown token is not an error (section
   * 2.2).
   */
  @Post('revoke')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  // The answer is empty, but some clients (simple-oauth2) accept only this type as a success.
  @Header('Content-Type', 'application/json')
  @Operation(REVOKE_TOKEN)
  async revoke(@Req() request: IncomingMessage, @Body() body?: unknown): Promise<void> {
    const parameters = requestParameters(request, body);
    const presented = requireParameter('token', parameters);
    const clientId = await this.clientOf(request, parameters);
    const token = await this.tokens.recognizeAnyType(presented);
    if (token === undefined) return;
    this.assertOwner(token, clientId);
    if (token.kind === 'refresh') await this.sessions.endSession(token, 'revoked by its holder');
    else await this.sessions.endToken(token, 'revoked by its holder');
  }

  /** Id of the client: authenticated where clients are registered, otherwise as the request names it. */
  private async clientOf(
    request: IncomingMessage,
    parameters: TokenParameters,
  ): Promise<string | undefined> {
    if (this.clients === undefined) return presentedClient(request, parameters).id;
    const isNamed = parameters('client_id') !== undefined;
    if (!isNamed && !hasClientCredentials(request, parameters)) return undefined;
    return (await this.clients.authenticate(request, parameters)).id;
  }

  /**
   * A client may only revoke its own tokens (RFC 7009 section 2.1). The clients of other issuers are not known here.
   */
  private assertOwner({ claims, issuer }: PresentedToken, clientId: string | undefined): void {
    const owner = issuer === undefined ? claimText(claims.client_id) : undefined;
    if (owner === undefined) return;
    if (clientId !== undefined && clientId !== owner)
      throw new ClientRefusedException(
        'client_mismatch',
        'the client_id of the token is not that of the request',
      );
    const registered = this.registry?.get(owner);
    if (clientId === undefined && registered !== undefined && isConfidential(registered))
      throw new ClientRefusedException(
        'client_unknown',
        'the token is that of a confidential client, which has to authenticate',
      );
  }
}
