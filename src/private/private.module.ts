import { Module } from '@nestjs/common';
import { PrivateController } from './private.controller.js';
import { ConfigurablePrivateModule } from './private.module-definition.js';

/** `GET /private/custom`. Needs `BackendModule` and `AuthModule`. */
@Module({ controllers: [PrivateController] })
export class PrivateModule extends ConfigurablePrivateModule {}
