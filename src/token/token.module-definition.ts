import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { LoginHandler } from './login-handler.js';

/** Who decides the claims behind `POST /token`: a function of the application, or a backend. */
export interface TokenModuleOptions {
  /** Decides logins, in an application that has users of its own; in place of `path`. */
  handler?: LoginHandler;
  /**
   * Values of `grant_type` that `handler` takes, beside none at all; others are refused (400
   * `unsupported_grant_type`). A backend decides that by itself. Default `password`.
   */
  grants?: readonly string[];
  /** Default `POST`. With `GET` the request body is not forwarded. */
  method?: string;
  /** Path below the backend's host. */
  path?: string;
  /**
   * What becomes of a refusal (4xx) of the login: `pass` gives it to the client as it is; `oauth` makes an
   * OAuth error of one that is none (RFC 6749 section 5.2). Default `pass`.
   */
  errors?: 'pass' | 'oauth';
}

/** For tests. */
export const TOKEN_KINDS: OptionKinds<TokenModuleOptions> = {
  handler: kinds.method,
  grants: kinds.texts,
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
