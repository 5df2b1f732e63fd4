import { Module } from '@nestjs/common';
import { PrivateController } from './private.controller.js';
import { ConfigurablePrivateModule } from './private.module-definition.js';

/** `GET /private/custom`; needs `BackendModule`, `JwksModule` and `AuthModule`. */
@Module({ controllers: [PrivateController] })
export class PrivateModule extends ConfigurablePrivateModule {}
