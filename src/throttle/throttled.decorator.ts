import type { IncomingMessage } from 'node:http';
import {
  Inject,
  Injectable,
  Optional,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
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

/**
 * Makes a guard that counts the requests of one route. Nest creates it at boot, so the boot reports a missing module.
 */
function routeThrottleGuard(options: ThrottleModuleOptions): Type<CanActivate> {
  @Injectable()
  class RouteThrottleGuard implements CanActivate {
    private readonly limit: RequestLimit;

    constructor(
      @Optional() @Inject(THROTTLE_OPTIONS) module?: ThrottleModuleOptions,
      @Optional() @Inject(STATE_STORE) store?: StateStore,
    ) {
      const { shared = module?.shared } = options;
      this.limit = new RequestLimit({ ...options, shared }, store, '@Throttled');
    }

    /** @throws TooManyRequestsException 429 `rate_limited` */
    canActivate(context: ExecutionContext): true | Promise<true> {
      if (!this.limit.enabled) return true;
      const client = clientNetwork(context.switchToHttp().getRequest<IncomingMessage>());
      const route = `${context.getClass().name}.${context.getHandler().name}`;
      return this.limit.count(`${route} ${client}`).then(() => true);
    }
  }
  return RouteThrottleGuard;
}

/**
 * Limits the requests of a client address to one route: 429 `rate_limited` beyond the limit. It needs no module, except
 * `StateModule` with `shared: true`. The default of `shared` is that of `ThrottleModule`, if it is imported.
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
  return UseGuards(routeThrottleGuard(options));
}
