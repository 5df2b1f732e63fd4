import type { IncomingMessage } from 'node:http';
import {
  Inject,
  Injectable,
  Optional,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { BootError } from '../core/errors/index.js';
import { clientNetwork } from './client-network.js';
import { RequestLimit } from './request-limit.js';

/** Token of modules whose routes may be without a limit: theirs is for `ThrottleModule` to say. */
export const THROTTLE_IS_OPTIONAL = Symbol('signet.throttle-is-optional');

/**
 * Limits the requests of one client to the token endpoints, all of them together, as `ThrottleModule` says. May
 * stand on routes of an application as well, which does not boot without that module:
 * `@UseGuards(TokenThrottleGuard)`.
 */
@Injectable()
export class TokenThrottleGuard implements CanActivate {
  /** @throws BootError where the routes need a limit, and there is none */
  constructor(
    @Optional() private readonly limit?: RequestLimit,
    @Optional() @Inject(THROTTLE_IS_OPTIONAL) isOptional = false,
  ) {
    if (limit === undefined && !isOptional)
      throw new BootError(
        'TokenThrottleGuard needs ThrottleModule: add ThrottleModule.forRoot(…) to the imports of your root module',
      );
  }

  /** @throws TooManyRequestsException 429 `rate_limited` */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const { limit } = this;
    if (limit?.enabled !== true) return true;
    const client = clientNetwork(context.switchToHttp().getRequest<IncomingMessage>());
    return limit.count(client).then(() => true);
  }
}
