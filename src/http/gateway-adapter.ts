import { createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';

/** Milliseconds; slow clients lose their connection, not the gateway its sockets. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 2000,
  // Longer than the 60 s after which usual load balancers drop idle connections: they close first.
  keepAliveTimeout: 65_000,
} as const;

/** Nest's Express adapter over a server with limits, some of which can only be set when it is made. */
export class GatewayAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createServer(LIMITS, this.getInstance());
  }
}
