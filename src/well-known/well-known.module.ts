import { Module } from '@nestjs/common';
import { JwkKeyStore } from '../jwks/index.js';
import { withNeeds } from '../options/index.js';
import { RoutesModule } from '../routes/index.js';
import { JwksController } from './jwks.controller.js';
import { MetadataController } from './metadata.controller.js';
import { ConfigurableWellKnownModule } from './well-known.module-definition.js';

/**
 * Serves `GET /.well-known/jwks.json`, `GET /.well-known/oauth-authorization-server` and
 * `GET /.well-known/openid-configuration`. Needs `JwksModule`. The metadata name the endpoints of the modules that are
 * imported and, with `AuthModule`, the scopes of the routes.
 */
@Module(
  withNeeds(
    'WellKnownModule',
    { JwksModule: [JwkKeyStore] },
    { imports: [RoutesModule], controllers: [JwksController, MetadataController] },
  ),
)
export class WellKnownModule extends ConfigurableWellKnownModule {}
