import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RouteExplorer } from './route-explorer.js';
import { RouteTable } from './route-table.service.js';

/** One {@link RouteExplorer} for the whole application, whoever imports it. */
@Module({
  imports: [DiscoveryModule],
  providers: [RouteExplorer, RouteTable],
  exports: [RouteExplorer, RouteTable],
})
export class RoutesModule {}
