import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** So many sessions of a user are known at most; more would make the list of no use. */
export const MOST_SESSIONS = 1000;

/** How many sessions a user has. */
export interface SessionListModuleOptions {
  /** So many per `sub` at most, the oldest one ends. Default and maximum: 1000. */
  limit?: number;
  /** `absoluteTtl` of `OAuthModule`: seconds from login until a session cannot go on. Default: no end. */
  absoluteTtl?: number;
}

/** For tests. */
export const SESSION_LIST_KINDS: OptionKinds<SessionListModuleOptions> = {
  limit: kinds.whole('sessions', 1),
  absoluteTtl: kinds.number('seconds'),
};

export const {
  ConfigurableModuleClass: ConfigurableSessionListModule,
  MODULE_OPTIONS_TOKEN: SESSION_LIST_OPTIONS,
  OPTIONS_TYPE: SESSION_LIST_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: SESSION_LIST_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<SessionListModuleOptions>({ moduleName: 'SessionList' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      SESSION_LIST_OPTIONS,
      'SessionListModule',
      SESSION_LIST_KINDS,
    ),
  )
  .build();
