import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { StoreOptions } from './open-store.js';
import type { RevocationsOptions } from './revocations.service.js';

/** Where state is kept, and how it is followed. */
export interface StateModuleOptions extends RevocationsOptions, StoreOptions {
  /**
   * `sqlite:<file>` (path relative to the working directory), `redis://…`, `redis+sentinel://…`,
   * `redis+cluster://…`, the same with `rediss` for TLS, or `memory:`.
   */
  url: string;
}

/** For tests. */
export const STATE_KINDS: OptionKinds<StateModuleOptions> = {
  url: kinds.name,
  exposedFiles: kinds.oneOf('warn', 'refuse', 'allow'),
  longestTokenTtl: kinds.number('seconds'),
  pollMs: kinds.number('milliseconds'),
  maxStalenessMs: kinds.number('milliseconds'),
  leeway: kinds.number('seconds'),
};

export const {
  ConfigurableModuleClass: ConfigurableStateModule,
  MODULE_OPTIONS_TOKEN: STATE_OPTIONS,
  OPTIONS_TYPE: STATE_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: STATE_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<StateModuleOptions>({ moduleName: 'State' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      STATE_OPTIONS,
      'StateModule',
      STATE_KINDS,
    ),
  )
  .build();
