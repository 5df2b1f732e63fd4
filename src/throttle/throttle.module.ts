import { Module } from '@nestjs/common';
import { STATE_STORE, type StateStore } from '../state/index.js';
import { RequestLimit } from './request-limit.js';
import {
  ConfigurableThrottleModule,
  THROTTLE_OPTIONS,
  type ThrottleModuleOptions,
} from './throttle.module-definition.js';

/**
 * Limits the requests of a client address to the token endpoints: 429 `rate_limited` beyond the limit. Without this
 * module they have no limit. With `shared: true` it needs `StateModule`.
 *
 * @example
 * ```ts
 * imports: [ThrottleModule.forRoot({ limit: 300 })] // per minute
 * ```
 */
@Module({
  providers: [
    {
      provide: RequestLimit,
      inject: [THROTTLE_OPTIONS, { token: STATE_STORE, optional: true }],
      useFactory: (options: ThrottleModuleOptions, store?: StateStore) =>
        new RequestLimit(options, store),
    },
  ],
  exports: [RequestLimit],
})
export class ThrottleModule extends ConfigurableThrottleModule {}
