import { Module } from '@nestjs/common';
import { ConfigurableOAuthModule } from './oauth.module-definition.js';
import { RefreshGrant } from './refresh-grant.service.js';
import { RevocationEndpointController } from './revocation-endpoint.controller.js';
import { TokenEndpointProofs } from './token-endpoint-proofs.service.js';
import { TokenSessions } from './token-sessions.service.js';

/**
 * Refresh tokens and `POST /token/revoke`. Give it `SessionModule` as one of its `imports`; needs
 * `BackendModule`, `AuthModule`, `StateModule` and `ThrottlerModule`, too.
 */
@Module({
  controllers: [RevocationEndpointController],
  providers: [RefreshGrant, TokenSessions, TokenEndpointProofs],
  exports: [RefreshGrant, TokenSessions, TokenEndpointProofs],
})
export class OAuthModule extends ConfigurableOAuthModule {}
