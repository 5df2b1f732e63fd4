import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** Maximum number of sessions of a user. */
export const MOST_SESSIONS = 1000;

/** Options of `SessionListModule`. */
export interface SessionListModuleOptions {
  /** Sessions per `sub`. A further login ends the oldest one. Default and maximum: 1000. */
  limit?: number;
  /** Seconds from login until a session cannot be refreshed: `absoluteTtl` of `OAuthModule`. Default: no limit. */
  absoluteTtl?: number;
}

/** The types of the options, checked at boot. Exported for tests. */
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
