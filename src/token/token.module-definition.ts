import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';

/** The backend call behind `POST /token`. */
export interface TokenModuleOptions {
  /** Default `POST`. With `GET` the request body is not forwarded. */
  method?: string;
  /** Path below the backend's host. */
  path: string;
  /**
   * What becomes of a refusal (4xx) of the login: `pass` gives it to the client as it is; `oauth` makes an
   * OAuth error of one that is none (RFC 6749 section 5.2). Default `pass`.
   */
  errors?: 'pass' | 'oauth';
}

/** For tests. */
export const TOKEN_KINDS: OptionKinds<TokenModuleOptions> = {
  method: kinds.name,
  path: kinds.name,
  errors: kinds.oneOf('pass', 'oauth'),
};

export const {
  ConfigurableModuleClass: ConfigurableTokenModule,
  MODULE_OPTIONS_TOKEN: TOKEN_OPTIONS,
  OPTIONS_TYPE: TOKEN_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: TOKEN_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<TokenModuleOptions>({ moduleName: 'Token' })
  .setClassMethodName('forRoot')
  .setExtras({}, (definition): DynamicModule =>
    withCheckedOptions(definition, TOKEN_OPTIONS, 'TokenModule', TOKEN_KINDS),
  )
  .build();
