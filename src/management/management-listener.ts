import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import type { MetricsModuleOptions } from '../metrics/index.js';

/** All metrics in the Prometheus text format, and its content type. */
export interface MetricsText {
  contentType: string;
  body: string;
}

/**
 * Serves `GET /metrics` on a listener of its own, which clients of the gateway do not reach.
 *
 * @returns `undefined` when no port was asked for, or an optional one is in use
 * @throws BootError when the port cannot be had
 */
export async function startManagementServer(
  { host, port, optional }: MetricsModuleOptions,
  metrics: () => Promise<MetricsText>,
): Promise<Server | undefined> {
  if (port === undefined) return undefined;
  const logger = new Logger('Management');
  const server = createServer((request, response) => {
    answer(request, response, metrics).catch(() => response.destroy());
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = `MANAGEMENT_PORT ${port} cannot be listened on (${code})`;
    if (optional !== true) throw new BootError(problem);
    logger.warn(`${problem}; there is no /metrics`);
    return undefined;
  }
  const address = server.address() as AddressInfo;
  logger.log(`Metrics on http://${host}:${address.port}/metrics`);
  return server;
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  metrics: () => Promise<MetricsText>,
): Promise<void> {
  if (method !== 'GET' || url !== '/metrics') {
    response.writeHead(404).end();
    return;
  }
  const { contentType, body } = await metrics();
  response.writeHead(200, { 'Content-Type': contentType }).end(body);
}
