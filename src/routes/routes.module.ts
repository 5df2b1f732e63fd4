import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RouteExplorer } from './route-explorer.js';
import { RouteTable } from './route-table.service.js';

/** Provides {@link RouteExplorer} and {@link RouteTable}. Nest creates one of each for the whole application. */
@Module({
  imports: [DiscoveryModule],
  providers: [RouteExplorer, RouteTable],
  exports: [RouteExplorer, RouteTable],
})
export class RoutesModule {}
