import type { IncomingMessage } from 'node:http';
import {
  applyDecorators,
  Inject,
  Injectable,
  Optional,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { BootError } from '../core/errors/index.js';
import { optionProblems } from '../options/index.js';
import { STATE_STORE, type StateStore } from '../state/index.js';
import { clientNetwork } from './client-network.js';
import { RequestLimit } from './request-limit.js';
import {
  THROTTLE_KINDS,
  THROTTLE_OPTIONS,
  type ThrottleModuleOptions,
} from './throttle.module-definition.js';

const Limit = Reflector.createDecorator<ThrottleModuleOptions>();

/** Counts the requests of routes with {@link Throttled}. */
@Injectable()
class RouteThrottleGuard implements CanActivate {
  private readonly limits = new WeakMap<ThrottleModuleOptions, RequestLimit>();

  constructor(
    private readonly reflector: Reflector,
    @Optional() @Inject(THROTTLE_OPTIONS) private readonly module?: ThrottleModuleOptions,
    @Optional() @Inject(STATE_STORE) private readonly store?: StateStore,
  ) {}

  /** @throws TooManyRequestsException 429 `rate_limited` */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const handler = context.getHandler();
    const limit = this.limitOf(this.reflector.get(Limit, handler));
    if (!limit.enabled) return true;
    const client = clientNetwork(context.switchToHttp().getRequest<IncomingMessage>());
    return limit.count(`${context.getClass().name}.${handler.name} ${client}`).then(() => true);
  }

  private limitOf(options: ThrottleModuleOptions): RequestLimit {
    let limit = this.limits.get(options);
    if (limit === undefined) {
      const { shared = this.module?.shared } = options;
      limit = new RequestLimit({ ...options, shared }, this.store);
      this.limits.set(options, limit);
    }
    return limit;
  }
}

/**
 * Limits the requests of a client address to one route: 429 `rate_limited` beyond it. It needs no module; `shared` needs `StateModule`, and is what `ThrottleModule` says where that is imported.
 *
 * @example
 * ```ts
 * @Throttled({ limit: 10, ttlMs: 1000 })
 * @Get('search')
 * search() { … }
 * ```
 * @throws BootError for options of a wrong type or name
 */
export function Throttled(options: ThrottleModuleOptions): MethodDecorator {
  const problems = optionProblems(options, THROTTLE_KINDS);
  if (problems.length > 0) throw new BootError(problems.map((problem) => `@Throttled: ${problem}`));
  return applyDecorators(Limit(options), UseGuards(RouteThrottleGuard));
}
