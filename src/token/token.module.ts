import { Module } from '@nestjs/common';
import { JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { JwtSigner, SignedRoutes } from '../signing/index.js';
import { THROTTLE_IS_OPTIONAL } from '../throttle/index.js';
import { TokenEndpointProofs } from './request/token-endpoint-proofs.service.js';
import { TokenSessions } from './token-sessions.service.js';
import { SelfTest } from './self-test.service.js';
import { TokenController } from './token.controller.js';
import { ConfigurableTokenModule } from './token.module-definition.js';

/**
 * Serves `POST /token`. Needs `JwksModule`, `SigningModule` and `OAuthModule`, and `BackendModule` where a backend
 * decides logins. With `ClientsModule` requests have to come from a registered client; `ThrottleModule` limits them.
 *
 * @example
 * ```ts
 * TokenModule.forRootAsync({
 *   imports: [UsersModule],
 *   inject: [Users],
 *   useFactory: (users: Users) => ({
 *     handler: ({ parameters }) => users.logIn(parameters('username'), parameters('password')),
 *   }),
 * })
 * ```
 */
@Module(
  withNeeds(
    'TokenModule',
    {
      JwksModule: [JwkKeyStore],
      SigningModule: [JwtSigner, SignedRoutes],
      OAuthModule: [TokenSessions, TokenEndpointProofs],
    },
    {
      controllers: [TokenController],
      providers: [SelfTest, { provide: THROTTLE_IS_OPTIONAL, useValue: true }],
    },
  ),
)
export class TokenModule extends ConfigurableTokenModule {}
