import { Module } from '@nestjs/common';
import { JwksController } from './jwks.controller.js';
import { MetadataController } from './metadata.controller.js';
import { ConfigurableWellKnownModule } from './well-known.module-definition.js';

/**
 * `GET /.well-known/jwks.json`, `GET /.well-known/oauth-authorization-server` and
 * `GET /.well-known/openid-configuration`: what clients and other services discover about the gateway.
 * Needs `JwksModule`; where `AuthModule` is imported, too, the metadata name the scopes of its routes.
 */
@Module({ controllers: [JwksController, MetadataController] })
export class WellKnownModule extends ConfigurableWellKnownModule {}
