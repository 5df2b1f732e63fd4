import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { RefreshHandler } from './login-handler.js';

/** How refresh tokens are taken back. */
export interface RefreshOptions {
  /**
   * Decides whether a session goes on, in an application that does so by itself; in place of `path`. Without
   * `ClientsModule` it is asked about a repetition within `retryWindow`, too, whose client nobody else checks.
   */
  handler?: RefreshHandler;
  /** Path below the backend's host; gets `{ sub, sid, claims, request }` and answers like the token path. */
  path?: string;
  /**
   * Seconds in which a repeated request gets the answer of the first one, as long as no token of that answer was
   * used; 0: none. At most 60. Default 10.
   */
  retryWindow?: number;
  /**
   * Seconds from login (`auth_time`) after which a session cannot be refreshed any more. Default 7776000 (90
   * days).
   */
  absoluteTtl?: number;
}

/** Options of `OAuthModule`. */
export interface OAuthModuleOptions {
  /** Left out: refresh is off. */
  refresh?: RefreshOptions;
}

/** For tests. */
export const OAUTH_KINDS: OptionKinds<OAuthModuleOptions> = {
  refresh: kinds.members({
    handler: kinds.method,
    path: kinds.name,
    retryWindow: kinds.number('seconds'),
    absoluteTtl: kinds.number('seconds'),
  }),
};

export const {
  ConfigurableModuleClass: ConfigurableOAuthModule,
  MODULE_OPTIONS_TOKEN: OAUTH_OPTIONS,
  OPTIONS_TYPE: OAUTH_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: OAUTH_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<OAuthModuleOptions>({ moduleName: 'OAuth' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      OAUTH_OPTIONS,
      'OAuthModule',
      OAUTH_KINDS,
    ),
  )
  .build();
