export { throttlerOptions, type ThrottleOptions } from './throttler-options.js';
export { TokenThrottle } from './token-throttle.guard.js';
