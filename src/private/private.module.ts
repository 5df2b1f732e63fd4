import { Module } from '@nestjs/common';
import { BackendClient } from '../backend/index.js';
import { withNeeds } from '../options/index.js';
import { PrivateController } from './private.controller.js';
import { ConfigurablePrivateModule } from './private.module-definition.js';

/** `GET /private/custom`. Needs `BackendModule` and `AuthModule`. */
@Module(
  withNeeds(
    'PrivateModule',
    { BackendModule: [BackendClient] },
    { controllers: [PrivateController] },
  ),
)
export class PrivateModule extends ConfigurablePrivateModule {}
