export { throttlerOptions, type ThrottleOptions } from './throttler-options.js';
export { TooManyRequestsException } from './too-many-requests.exception.js';
export { TokenThrottleGuard } from './token-throttle.guard.js';
