import { Module } from '@nestjs/common';
import { withNeeds } from '../options/index.js';
import { RouteTable } from '../routes/index.js';
import { PagesController } from './pages.controller.js';
import { ConfigurablePagesModule } from './pages.module-definition.js';

/**
 * Pages for people who develop: `GET /` and `GET /_explain`. Needs `AuthModule` and `ExplainModule`, whose checks
 * they show. Never in production: they tell anybody which routes there are.
 */
@Module(withNeeds('PagesModule', { AuthModule: [RouteTable] }, { controllers: [PagesController] }))
export class PagesModule extends ConfigurablePagesModule {}
