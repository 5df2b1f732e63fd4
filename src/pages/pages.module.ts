import { Module } from '@nestjs/common';
import { withNeeds } from '../options/index.js';
import { RouteTable } from '../routes/index.js';
import { PagesController } from './pages.controller.js';
import { ConfigurablePagesModule } from './pages.module-definition.js';

/**
 * Serves pages for development: `GET /` and `GET /_explain`. Needs `AuthModule` and `ExplainModule`. Do not import it
 * in production: the pages list all routes.
 */
@Module(withNeeds('PagesModule', { AuthModule: [RouteTable] }, { controllers: [PagesController] }))
export class PagesModule extends ConfigurablePagesModule {}
