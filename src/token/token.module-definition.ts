import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { LoginHandler } from './login-handler.js';

/** Options of `TokenModule`: a function of the application, or a backend, decides the claims behind `POST /token`. */
export interface TokenModuleOptions {
  /** Function that decides logins, in an application with users of its own. In place of `path`. */
  handler?: LoginHandler;
  /**
   * Values of `grant_type` for `handler`. A missing `grant_type` is accepted, too; others are refused with 400
   * `unsupported_grant_type`. A backend decides that by itself. Default `password`.
   */
  grants?: readonly string[];
  /** HTTP method of the backend call. With `GET` the request body is not forwarded. Default `POST`. */
  method?: string;
  /** Path of the backend call. */
  path?: string;
  /**
   * What the client gets for a refusal (4xx) of the login service. `pass`: the same answer. `oauth`: an OAuth error
   * (RFC 6749 section 5.2). Default `pass`.
   */
  errors?: 'pass' | 'oauth';
}

/** The types of the options, checked at boot. Exported for tests. */
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
