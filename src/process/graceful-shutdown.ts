import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { Readiness } from '../health/index.js';
import type { Logger } from '../logging/index.js';

/** How long the parts of a shutdown may take, in milliseconds. */
export interface ShutdownOptions {
  /** Readiness is down, requests are served as before: time for load balancers to notice. */
  delayMs: number;
  /** Requests in flight may finish for so long. */
  timeoutMs: number;
}

const IDLE_SWEEP_MS = 20;

/**
 * Ends the application without losing a request: readiness goes down first, then no connection is
 * accepted any more, then what is in flight finishes.
 */
export async function shutDownGracefully(
  app: INestApplication<Server>,
  { delayMs, timeoutMs }: ShutdownOptions,
  logger: Logger,
): Promise<void> {
  app.get(Readiness).beginShutdown();
  await sleep(delayMs);
  const server = app.getHttpServer();
  const closed = new Promise<boolean>((resolve) => server.close(() => resolve(true)));
  // A connection that was busy when the server closed becomes idle later, and would keep it open.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  const drained = await Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
  clearInterval(sweep);
  if (!drained) {
    logger.warn(`Requests were still in flight after ${timeoutMs} ms`);
    server.closeAllConnections();
  }
  await app.close();
}
