import { Module } from '@nestjs/common';
import { JwtVerifier, ProtectedRoutes } from '../auth/index.js';
import { JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { Revocations } from '../state/index.js';
import { IssuedTokens } from './issued-tokens.service.js';
import { LogoutController } from './logout.controller.js';
import { SessionCookies } from './session-cookies.service.js';
import { SessionEnd } from './session-end.service.js';
import { ConfigurableSessionModule } from './session.module-definition.js';

/**
 * Recognizes the tokens of a session, reads and sets session cookies, and serves `POST /logout`. Needs `JwksModule`,
 * `AuthModule` and `StateModule`. The defaults of its options come from `SigningModule`.
 */
@Module(
  withNeeds(
    'SessionModule',
    {
      JwksModule: [JwkKeyStore],
      AuthModule: [JwtVerifier, ProtectedRoutes],
      StateModule: [Revocations],
    },
    {
      controllers: [LogoutController],
      providers: [IssuedTokens, SessionCookies, SessionEnd],
      exports: [IssuedTokens, SessionCookies, SessionEnd],
    },
  ),
)
export class SessionModule extends ConfigurableSessionModule {}
