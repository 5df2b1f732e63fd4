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

/** Injection token of modules whose routes have no limit where `ThrottleModule` is not imported. */
export const THROTTLE_IS_OPTIONAL = Symbol('signet.throttle-is-optional');

/**
 * Applies the limit of `ThrottleModule` to all token endpoints together. Routes of an application can use it, too:
 * `@UseGuards(TokenThrottleGuard)`. They need `ThrottleModule`.
 */
@Injectable()
export class TokenThrottleGuard implements CanActivate {
  /** @throws BootError without `ThrottleModule`, unless {@link THROTTLE_IS_OPTIONAL} is provided */
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
