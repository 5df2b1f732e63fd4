import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { TokenRefusedException, ProtectedRoutes, Public, rawRequest } from '../auth/index.js';
import {
  bearerToken,
  tokenMissing,
  type BearerToken,
  type TokenPolicy,
} from '../core/verify/index.js';
import { TokenRefusedError } from '../core/errors/index.js';
import { Operation } from '../routes/index.js';
import { IssuedTokens } from './issued-tokens.service.js';
import { SessionCookies } from './session-cookies.service.js';
import { SessionEnd } from './session-end.service.js';
import { END_SESSION } from './logout.operations.js';

/** `POST /logout`: ends the session of the token in the header or the cookies. */
@Controller('logout')
@Public()
export class LogoutController {
  constructor(
    private readonly routes: ProtectedRoutes,
    private readonly tokens: IssuedTokens,
    private readonly cookies: SessionCookies,
    private readonly sessions: SessionEnd,
  ) {}

  /** Accepts expired tokens, too: another party may hold a refresh token of the session. */
  @Post()
  @HttpCode(204)
  @Header('Cache-Control', 'no-store')
  @Operation(END_SESSION)
  async logout(
    @Req() request: IncomingMessage,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<void> {
    const presented = this.presentedTokens(request);
    const refusals: TokenRefusedError[] = [];
    for (const token of presented)
      try {
        await this.sessions.endSession(await this.tokens.identify(token, 'any'), 'logout');
      } catch (error) {
        if (!(error instanceof TokenRefusedError)) throw error;
        refusals.push(error);
      }
    // Cookies are cleared last, so that a failed logout can be repeated.
    if (this.cookies.enabled) this.cookies.clear(response);
    const [refusal] = refusals;
    if (refusal !== undefined && refusals.length === presented.length)
      throw this.refused(request, refusal);
  }

  private presentedTokens(request: IncomingMessage): string[] {
    const policy = this.routes.defaults();
    const refresh = this.cookies.refreshToken(request);
    const access = this.accessToken(request, policy);
    if (access?.source === 'cookie') this.routes.assertSameOrigin(request);
    const tokens = [access?.token, refresh].filter((token) => token !== undefined);
    if (tokens.length === 0) throw this.refused(request, tokenMissing(rawRequest(request), policy));
    return tokens;
  }

  private accessToken(request: IncomingMessage, policy: TokenPolicy): BearerToken | undefined {
    try {
      return bearerToken(rawRequest(request), policy);
    } catch (error) {
      if (error instanceof TokenRefusedError) throw this.refused(request, error);
      throw error;
    }
  }

  private refused(request: IncomingMessage, reason: TokenRefusedError): TokenRefusedException {
    const metadata = this.routes.resourceMetadata(request);
    return new TokenRefusedException(reason, this.routes.defaults(), undefined, metadata);
  }
}
