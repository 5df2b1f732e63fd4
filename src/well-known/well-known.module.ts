import { Module } from '@nestjs/common';
import { JwksController } from './jwks.controller.js';
import { MetadataController } from './metadata.controller.js';
import { ConfigurableWellKnownModule } from './well-known.module-definition.js';

/**
 * `GET /.well-known/jwks.json` and `GET /.well-known/oauth-authorization-server`: what clients and
 * other services discover about the gateway. Needs `JwksModule`.
 */
@Module({ controllers: [JwksController, MetadataController] })
export class WellKnownModule extends ConfigurableWellKnownModule {}
