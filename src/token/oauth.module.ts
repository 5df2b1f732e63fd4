import { Module } from '@nestjs/common';
import { ProtectedRoutes } from '../auth/index.js';
import { withNeeds } from '../options/index.js';
import { IssuedTokens, SessionCookies, SessionEnd } from '../session/index.js';
import { Revocations, STATE_STORE, SuccessorUses } from '../state/index.js';
import { THROTTLE_IS_OPTIONAL } from '../throttle/index.js';
import { ConfigurableOAuthModule } from './oauth.module-definition.js';
import { RefreshGrant } from './refresh/refresh-grant.service.js';
import { RevocationEndpointController } from './revocation/revocation-endpoint.controller.js';
import { TokenEndpointProofs } from './request/token-endpoint-proofs.service.js';
import { TokenSessions } from './token-sessions.service.js';

/**
 * Provides the refresh token grant, and serves `POST /token/revoke` (RFC 7009). Needs `SessionModule`, `AuthModule` and
 * `StateModule`, and `BackendModule` where a backend decides refreshes.
 *
 * @example
 * ```ts
 * OAuthModule.forRootAsync({
 *   imports: [UsersModule],
 *   inject: [Users],
 *   useFactory: (users: Users) => ({ refresh: { handler: ({ sub }) => users.claimsOf(sub) } }),
 * })
 * ```
 */
@Module(
  withNeeds(
    'OAuthModule',
    {
      SessionModule: [IssuedTokens, SessionCookies, SessionEnd],
      AuthModule: [ProtectedRoutes],
      StateModule: [STATE_STORE, Revocations, SuccessorUses],
    },
    {
      controllers: [RevocationEndpointController],
      providers: [
        RefreshGrant,
        TokenSessions,
        TokenEndpointProofs,
        { provide: THROTTLE_IS_OPTIONAL, useValue: true },
      ],
      exports: [RefreshGrant, TokenSessions, TokenEndpointProofs],
    },
  ),
)
export class OAuthModule extends ConfigurableOAuthModule {}
