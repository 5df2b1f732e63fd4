import { Module } from '@nestjs/common';
import { ExplainController } from './explain.controller.js';
import { ConfigurableExplainModule } from './explain.module-definition.js';

/**
 * `POST /_explain`. Needs `JwksModule`, `AuthModule` and `StateModule`. Never in production: it tells
 * anybody why a token is refused.
 */
@Module({ controllers: [ExplainController] })
export class ExplainModule extends ConfigurableExplainModule {}
