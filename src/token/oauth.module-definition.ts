import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { RefreshHandler } from './login-handler.js';

/** Options of the refresh token grant (RFC 6749 section 6). */
export interface RefreshOptions {
  /**
   * Function that decides refreshes, in an application with users of its own. In place of `path`. Without
   * `ClientsModule` it is also called for a repeated request within `retryWindow`, since only it can check the client.
   */
  handler?: RefreshHandler;
  /** Path of the backend call. Its body is `{ sub, sid, claims, request }`, its answer like that of the token path. */
  path?: string;
  /**
   * Seconds in which a repeated request gets the answer of the first one, until a token of that answer is used. 0 to
   * 60. Default 10.
   */
  retryWindow?: number;
  /**
   * Seconds from login (`auth_time`) after which a session cannot be refreshed. Default 7776000 (90 days).
   */
  absoluteTtl?: number;
}

/** Options of `OAuthModule`. */
export interface OAuthModuleOptions {
  /** Turns on `grant_type=refresh_token`. Default: it is off. */
  refresh?: RefreshOptions;
}

/** The types of the options, checked at boot. Exported for tests. */
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
