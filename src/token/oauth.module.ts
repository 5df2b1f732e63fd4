import { Module } from '@nestjs/common';
import { LogoutController } from '../session/logout.controller.js';
import { ConfigurableOAuthModule } from './oauth.module-definition.js';
import { OwnTokens } from '../session/issued-tokens.service.js';
import { RefreshGrant } from './refresh-grant.service.js';
import { RevocationController } from './revocation-endpoint.controller.js';
import { SessionCookies } from '../session/session-cookies.service.js';
import { SessionEnd } from '../session/session-end.service.js';
import { TokenSessions } from './token-sessions.service.js';

/**
 * Refresh, `POST /token/revoke`, `POST /logout` and session cookies; needs `BackendModule`,
 * `JwksModule`, `AuthModule` and `StateModule`.
 */
@Module({
  controllers: [RevocationController, LogoutController],
  providers: [OwnTokens, RefreshGrant, SessionCookies, SessionEnd, TokenSessions],
  exports: [OwnTokens, TokenSessions],
})
export class OAuthModule extends ConfigurableOAuthModule {}
