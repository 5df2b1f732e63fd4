import { Module } from '@nestjs/common';
import { LogoutController } from './logout.controller.js';
import { ConfigurableOAuthModule } from './oauth.module-definition.js';
import { OwnTokens } from './own-tokens.js';
import { RefreshGrant } from './refresh-grant.js';
import { RevocationController } from './revocation.controller.js';
import { SessionCookies } from './session-cookies.js';
import { SessionEnd } from './session-end.js';
import { TokenSessions } from './token-sessions.js';

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
