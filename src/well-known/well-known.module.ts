import { Module } from '@nestjs/common';
import { JwksController } from './jwks.controller.js';
import { MetadataController } from './metadata.controller.js';
import { ConfigurableWellKnownModule } from './well-known.module-definition.js';

/** What clients and other services discover about the gateway; needs `JwksModule`. */
@Module({ controllers: [JwksController, MetadataController] })
export class WellKnownModule extends ConfigurableWellKnownModule {}
