import type { IncomingMessage } from 'node:http';
import { Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { clientNetwork } from './client-network.js';
import { RequestLimit } from './request-limit.js';

/**
 * Limits the requests of one client to the token endpoints, all of them together, as `ThrottleModule` says. May
 * stand on routes of an application as well: `@UseGuards(TokenThrottleGuard)`.
 */
@Injectable()
export class TokenThrottleGuard implements CanActivate {
  constructor(@Optional() private readonly limit?: RequestLimit) {}

  /** @throws TooManyRequestsException 429 `rate_limited` */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const { limit } = this;
    if (limit?.enabled !== true) return true;
    const client = clientNetwork(context.switchToHttp().getRequest<IncomingMessage>());
    return limit.count(client).then(() => true);
  }
}
