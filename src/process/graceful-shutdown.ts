import type { Server } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { Readiness } from '../health/index.js';
import type { Logger } from '../logging/index.js';

/** How long the phases of a shutdown take, in milliseconds. */
export interface ShutdownOptions {
  /** Time from not ready to the closed port, for load balancers to notice. Requests are still served. */
  delayMs: number;
  /** Longest time for requests in flight to finish. */
  timeoutMs: number;
}

const IDLE_SWEEP_MS = 20;
/** Milliseconds: a shorter turn of the event loop had next to nothing to do. */
const QUIET_MS = 0.5;
/** Most turns of the event loop to wait for such a turn, which may take long under load. */
const MOST_TURNS = 1000;

/**
 * Ends the application without losing a request: first it reports that it is not ready, then it accepts no more
 * connections, then requests in flight finish.
 */
export async function shutDownGracefully(
  app: INestApplication<Server>,
  { delayMs, timeoutMs }: ShutdownOptions,
  logger: Logger,
): Promise<void> {
  app.get(Readiness).beginShutdown();
  await sleep(delayMs);
  const server = app.getHttpServer();
  await everythingRead(server);
  const closed = new Promise<boolean>((resolve) => server.close(() => resolve(true)));
  const ended = Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
  let drained: boolean | undefined;
  while (drained === undefined) {
    drained = await Promise.race([ended, sleep(IDLE_SWEEP_MS, undefined)]);
    // A connection that was busy when the server closed becomes idle later, and would keep the server open.
    await everythingRead(server);
    server.closeIdleConnections();
  }
  if (!drained) {
    logger.warn(`Requests were still in flight after ${timeoutMs} ms`);
    server.closeAllConnections();
  }
  await app.close();
}

/**
 * Resolves as soon as all waiting connections are accepted and the data that arrived on them is read. When a socket
 * closes with unread data, the kernel sends a reset, and the request is lost. Each turn of the event loop accepts one
 * connection.
 */
async function everythingRead(server: Server): Promise<void> {
  let accepted = 0;
  const count = (): void => void accepted++;
  server.on('connection', count);
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const [before, began] = [accepted, performance.now()];
    await nextTurn();
    if (accepted === before && performance.now() - began < QUIET_MS) break;
  }
  server.off('connection', count);
}
