// Imported first, since it throws a clear error if Node.js is too old.
import '../core/errors/index.js';

export { clientNetwork } from './client-network.js';
export { RequestLimit } from './request-limit.js';
export { ThrottleCounters } from './throttle-counters.js';
export { ThrottleModule } from './throttle.module.js';
export { THROTTLE_OPTIONS, type ThrottleModuleOptions } from './throttle.module-definition.js';
export { Throttled } from './throttled.decorator.js';
export { TooManyRequestsException } from './too-many-requests.exception.js';
export { THROTTLE_IS_OPTIONAL, TokenThrottleGuard } from './token-throttle.guard.js';
