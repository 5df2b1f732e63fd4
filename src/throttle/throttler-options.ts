import type { ThrottlerModuleOptions } from '@nestjs/throttler';
import type { StateStore } from '../state/index.js';
import { ThrottleCounters } from './throttle-counters.js';

/** How many requests a client address has. */
export interface ThrottleOptions {
  /** Requests per window; 0: no limit. */
  limit: number;
  /** Length of a window in milliseconds. */
  ttlMs: number;
  /** There are several processes: they count together. */
  shared: boolean;
}

/** Options of `ThrottlerModule`, for a `useFactory`. */
export function throttlerOptions(
  { limit, ttlMs, shared }: ThrottleOptions,
  store: StateStore,
): ThrottlerModuleOptions {
  return {
    throttlers: [{ limit, ttl: ttlMs }],
    storage: new ThrottleCounters(shared ? store : undefined),
    // Login pages do not use them, and they are three more headers on every answer.
    setHeaders: false,
  };
}
