import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { AtMostEvery } from '../../core/time/index.js';
import { errorAnswer, requestContext, type GatewayError } from '../../http/index.js';
import { probeDelay } from './delay-probe.js';
import { ShedController } from './shed-controller.js';

/** Up to this many requests at once are always admitted: refusing some of so few would not help the others. */
const ALWAYS_ADMITTED = 64;
/** Most requests at once, whatever the delay is: each of them takes memory. */
const MAX_IN_FLIGHT = 4096;
/**
 * Delay of a refusal, in milliseconds. Clients that send the next request only after an answer, such as retrying
 * clients and load balancers with bounded pools, then send fewer requests. Refusing costs system calls, which are
 * needed to serve other requests.
 */
const HOLD_MS = 500;
const MAX_HELD = 4096;
const LOG_INTERVAL_MS = 10_000;

/**
 * Refuses requests when there are more than the process can serve in time: 503 with `Retry-After`, for a small part of
 * the cost of serving them. Health probes are always admitted.
 */
export class LoadShedder {
  /** Called for each request that is refused, before it is answered. */
  onShed: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  private readonly logger = new Logger('Overload');
  private readonly controller = new ShedController();
  private inFlight = 0;
  private held = 0;
  private shed = 0;
  private readonly lines = new AtMostEvery(LOG_INTERVAL_MS);
  private readonly release = (): void => {
    this.inFlight--;
  };

  /** Ends the measurements of {@link start}. */
  stop: () => void = () => undefined;

  /** Starts the measurements. */
  start(): void {
    this.stop = probeDelay(
      () => this.inFlight >= ALWAYS_ADMITTED / 2,
      (delayMs, elapsedMs) => {
        this.controller.measured(delayMs, elapsedMs);
        if (this.shed > 0) this.report();
      },
    );
  }

  /** Returns true if the request may go on; otherwise answers it. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    if (
      this.inFlight >= ALWAYS_ADMITTED &&
      this.isOverloaded() &&
      request.url?.startsWith('/health/') !== true
    ) {
      this.shed++;
      this.onShed(request, response);
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
    if (!this.lines.due()) return;
    this.logger.warn(`Overloaded: ${this.shed} requests refused since the last such line`);
    this.shed = 0;
  }
}

const OVERLOADED: GatewayError = {
  status: 503,
  error: 'temporarily_unavailable',
  code: 'overloaded',
  description: 'The gateway is overloaded.',
  headers: { 'Retry-After': '1' },
};

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, body } = errorAnswer(OVERLOADED, requestContext(request).id);
  response.writeHead(status, headers).end(body);
}
