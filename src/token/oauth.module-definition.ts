import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** How refresh tokens are taken back. */
export interface RefreshOptions {
  /** Path below the backend's host; gets `{ sub, sid, claims, request }` and answers like the token path. */
  path: string;
  /**
   * Seconds in which a repeated request gets the answer of the first one, as long as no token of that answer was
   * used; 0: none. At most 60.
   */
  retryWindow: number;
  /** Seconds from login (`auth_time`) after which a session cannot be refreshed any more. */
  absoluteTtl: number;
}

/** Options of `OAuthModule`. */
export interface OAuthModuleOptions {
  /** Left out: refresh is off. */
  refresh?: RefreshOptions;
}

/** For tests. */
export const OAUTH_KINDS: OptionKinds<OAuthModuleOptions> = {
  refresh: kinds.members({
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
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, OAUTH_OPTIONS, 'OAuthModule', OAUTH_KINDS),
  )
  .build();
