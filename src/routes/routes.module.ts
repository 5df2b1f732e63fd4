import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RouteExplorer } from './route-explorer.js';

/** One {@link RouteExplorer} for the whole application, whoever imports it. */
@Module({ imports: [DiscoveryModule], providers: [RouteExplorer], exports: [RouteExplorer] })
export class RoutesModule {}
