export { throttlerOptions, type ThrottleOptions } from './throttler-options.js';
export { TokenThrottleGuard } from './token-throttle.guard.js';
