import { Module } from '@nestjs/common';
import { LogoutController } from '../session/logout.controller.js';
import { ConfigurableOAuthModule } from './oauth.module-definition.js';
import { IssuedTokens } from '../session/issued-tokens.service.js';
import { RefreshGrant } from './refresh-grant.service.js';
import { RevocationEndpointController } from './revocation-endpoint.controller.js';
import { SessionCookies } from '../session/session-cookies.service.js';
import { SessionEnd } from '../session/session-end.service.js';
import { TokenSessions } from './token-sessions.service.js';

/**
 * Refresh, `POST /token/revoke`, `POST /logout` and session cookies; needs `BackendModule`,
 * `JwksModule`, `AuthModule` and `StateModule`.
 */
@Module({
  controllers: [RevocationEndpointController, LogoutController],
  providers: [IssuedTokens, RefreshGrant, SessionCookies, SessionEnd, TokenSessions],
  exports: [IssuedTokens, TokenSessions],
})
export class OAuthModule extends ConfigurableOAuthModule {}
