import type { Server } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
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
/** A turn of the event loop in which next to nothing was done takes less, in milliseconds. */
const QUIET_MS = 0.5;
/** Under load such a turn has to be waited for, but not for ever. */
const MOST_TURNS = 1000;

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
  await everythingRead(server);
  const closed = new Promise<boolean>((resolve) => server.close(() => resolve(true)));
  const ended = Promise.race([closed, sleep(timeoutMs, false, { ref: false })]);
  let drained: boolean | undefined;
  while (drained === undefined) {
    drained = await Promise.race([ended, sleep(IDLE_SWEEP_MS, undefined)]);
    // A connection that was busy when the server closed becomes idle later, and would keep it open.
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
 * Resolves right after all connections that wait were accepted, and what has arrived on them was read: the kernel
 * answers what it still has of a socket that closes with a reset, and the request is lost. A turn of the event loop
 * accepts one connection.
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
