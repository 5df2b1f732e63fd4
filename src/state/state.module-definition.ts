import { ConfigurableModuleBuilder, type DynamicModule, type Type } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { StoreOptions } from './open-store.js';
import type { RevocationsOptions } from './revocations/revocations.service.js';
import type { StateStore } from './state-store.js';

/** Options of `StateModule`. */
export interface StateModuleOptions extends RevocationsOptions, StoreOptions {
  /**
   * URL of the store: `sqlite:<file>` (path relative to the working directory), `redis://…`, `redis+sentinel://…`,
   * `redis+cluster://…`, the same with `rediss` for TLS, `postgres://…` (with the package `pg`), or `memory:`.
   */
  url?: string;
  /**
   * A store of your own, in place of `url`. Nest creates the instance of a class, and injects global providers. The
   * store is closed with the application. See `stateStoreChecks` of `nest-signet/testing`.
   */
  store?: StateStore | Type<StateStore>;
}

/** The types of the options, checked at boot. Exported for tests. */
export const STATE_KINDS: OptionKinds<StateModuleOptions> = {
  url: kinds.name,
  store: kinds.classOrInstance,
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
