import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Options of `ThrottleModule`, and of `@Throttled`. */
export interface ThrottleModuleOptions {
  /** Requests of a client address per window; 0: no limit. */
  limit: number;
  /** Length of a window in milliseconds. Default 60000. */
  ttlMs?: number;
  /** True: all processes count together, in the store of `StateModule`. Default false. */
  shared?: boolean;
}

/** The types of the options, checked at boot. Exported for tests. */
export const THROTTLE_KINDS: OptionKinds<ThrottleModuleOptions> = {
  limit: kinds.whole('requests'),
  ttlMs: kinds.whole('milliseconds', 1),
  shared: kinds.flag,
};

export const {
  ConfigurableModuleClass: ConfigurableThrottleModule,
  MODULE_OPTIONS_TOKEN: THROTTLE_OPTIONS,
  OPTIONS_TYPE: THROTTLE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: THROTTLE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<ThrottleModuleOptions>({ moduleName: 'Throttle' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      THROTTLE_OPTIONS,
      'ThrottleModule',
      THROTTLE_KINDS,
    ),
  )
  .build();
