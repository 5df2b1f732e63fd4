import type { Server } from 'node:http';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { nowSeconds } from '../core/time/index.js';
import { joinStatus, startManagementServer } from '../management/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { ManagementAnswers } from './management-answers.service.js';
import { METRICS_OPTIONS, type MetricsModuleOptions } from './metrics.module-definition.js';

/** State of the workers if there is only this process. */
const ALONE = { serving: 1, restarts: 0 };

/** Serves metrics and status of this process, and the explain page where there is one, while the application runs. */
@Injectable()
export class ManagementServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private server?: Server;

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: MetricsModuleOptions,
    private readonly metrics: GatewayMetrics,
    private readonly answers: ManagementAnswers,
  ) {}

  /** @throws BootError when the port cannot be opened */
  async onApplicationBootstrap(): Promise<void> {
    const { answers } = this;
    this.server = await startManagementServer(this.options, new Logger('Management'), {
      metrics: () => this.metrics.text(),
      status: async () => joinStatus([await answers.answer('status')], ALONE, nowSeconds()),
      explain: answers.explains
        ? {
            facts: () => answers.answer('facts'),
            explain: (question) => answers.answer('explanation', question),
          }
        : undefined,
    });
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }
}
