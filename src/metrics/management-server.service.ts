import type { Server } from 'node:http';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { startManagementServer } from '../management/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { METRICS_OPTIONS, type MetricsModuleOptions } from './metrics.module-definition.js';

/** Serves the metrics of this process while the application runs. */
@Injectable()
export class ManagementServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private server?: Server;

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: MetricsModuleOptions,
    private readonly metrics: GatewayMetrics,
  ) {}

  /** @throws BootError when the port cannot be had */
  async onApplicationBootstrap(): Promise<void> {
    const logger = new Logger('Management');
    this.server = await startManagementServer(this.options, logger, () => this.metrics.text());
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
