import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { BootException } from '../common/boot.exception.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { METRICS_OPTIONS, type MetricsModuleOptions } from './metrics.module-definition.js';

/** Serves `GET /metrics` on a listener of its own, which clients of the gateway do not reach. */
@Injectable()
export class ManagementServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Management');
  private server?: Server;

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: MetricsModuleOptions,
    private readonly metrics: GatewayMetrics,
  ) {}

  /** @throws BootException when the port cannot be had */
  async onApplicationBootstrap(): Promise<void> {
    const { host, port, optional } = this.options;
    if (port === undefined) return;
    const server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, host, resolve);
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const problem = `MANAGEMENT_PORT ${port} cannot be listened on (${code})`;
      if (optional !== true) throw new BootException(problem);
      this.logger.warn(`${problem}; there is no /metrics`);
      return;
    }
    this.server = server;
    const address = server.address() as AddressInfo;
    this.logger.log(`Metrics on http://${host}:${address.port}/metrics`);
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = request.method === 'GET' && request.url === '/metrics';
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    const { contentType, body } = await this.metrics.text();
    response.writeHead(200, { 'Content-Type': contentType }).end(body);
  }
}
