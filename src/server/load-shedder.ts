import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { probeDelay } from './delay-probe.js';
import { requestId } from '../http/index.js';
import { ShedController } from './shed-controller.js';

/** So few requests are no overload: whatever delays them, refusing some would not help the others. */
const ALWAYS_ADMITTED = 64;
/** So many at once are one whatever the delay is: each of them takes memory. */
const MAX_IN_FLIGHT = 4096;
/**
 * Refusals are held back for a moment: whoever sends the next request only after an answer, as
 * balancers with bounded pools and clients that try again do, then sends less. Refusing costs
 * system calls, which serving others needs.
 */
const HOLD_MS = 500;
const MAX_HELD = 4096;
const LOG_INTERVAL_MS = 10_000;

/**
 * Refuses requests at the door when there are more than the process can serve in time: 503 with
 * `Retry-After`, for a small part of what serving would cost. Probes always get in.
 */
export class LoadShedder {
  /** Called for each request that is refused. */
  onShed: () => void = () => undefined;
  private readonly logger = new Logger('Overload');
  private readonly controller = new ShedController();
  private inFlight = 0;
  private held = 0;
  private shed = 0;
  private logged = 0;
  private readonly release = (): void => {
    this.inFlight--;
  };

  /** Begins to measure. */
  start(): void {
    probeDelay(
      () => this.inFlight >= ALWAYS_ADMITTED / 2,
      (delayMs, elapsedMs) => {
        this.controller.measured(delayMs, elapsedMs);
        if (this.shed > 0) this.report();
      },
    );
  }

  /** True when the request may go on; otherwise it has been answered. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    if (
      this.inFlight >= ALWAYS_ADMITTED &&
      this.isOverloaded() &&
      request.url?.startsWith('/health/') !== true
    ) {
      this.shed++;
      this.onShed();
      this.hold(request, response);
      return false;
    }
    this.inFlight++;
    response.on('close', this.release);
    return true;
  }

  private isOverloaded(): boolean {
    const { share } = this.controller;
    return (share > 0 && Math.random() < share) || this.inFlight >= MAX_IN_FLIGHT;
  }

  private hold(request: IncomingMessage, response: ServerResponse): void {
    if (this.held >= MAX_HELD) {
      refuse(request, response);
      return;
    }
    this.held++;
    const timer = setTimeout(refuse, HOLD_MS, request, response);
    response.once('close', () => {
      this.held--;
      clearTimeout(timer);
    });
  }

  private report(): void {
    const now = performance.now();
    if (now - this.logged < LOG_INTERVAL_MS) return;
    this.logger.warn(`Overloaded: ${this.shed} requests refused since the last such line`);
    this.logged = now;
    this.shed = 0;
  }
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const id = requestId(request.headers['x-request-id']);
  // The id is made of characters that JSON leaves as they are.
  const body = `{"error":"temporarily_unavailable","error_description":"The gateway is overloaded.","code":"overloaded","request_id":"${id}"}`;
  response
    .writeHead(503, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      'Retry-After': '1',
      'X-Request-Id': id,
      'X-Content-Type-Options': 'nosniff',
    })
    .end(body);
}
