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
 * Sessions: recognizing their tokens, cookies, `POST /logout`. Needs `JwksModule`, `AuthModule` and `StateModule`;
 * what its options leave out comes from `SigningModule`.
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
