import { Module } from '@nestjs/common';
import { AuthGuard, ProtectedRoutes } from '../../auth/index.js';
import { withNeeds } from '../../options/index.js';
import { IssuedTokens } from '../../session/index.js';
import { STATE_STORE } from '../../state/index.js';
import { THROTTLE_IS_OPTIONAL } from '../../throttle/index.js';
import { IntrospectionAccess } from './introspection-access.service.js';
import { IntrospectionController } from './introspection.controller.js';
import { ConfigurableIntrospectionModule } from './introspection.module-definition.js';

/**
 * Serves `POST /token/introspect`. Needs `SessionModule`, `AuthModule` and `StateModule`, and without roles
 * `ClientsModule`. With `OAuthModule`, refresh tokens of sessions beyond `absoluteTtl` are inactive.
 */
@Module(
  withNeeds(
    'IntrospectionModule',
    { SessionModule: [IssuedTokens], AuthModule: [ProtectedRoutes], StateModule: [STATE_STORE] },
    {
      controllers: [IntrospectionController],
      providers: [
        AuthGuard,
        IntrospectionAccess,
        { provide: THROTTLE_IS_OPTIONAL, useValue: true },
      ],
    },
  ),
)
export class IntrospectionModule extends ConfigurableIntrospectionModule {}
