import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { kinds, withCheckedOptions, type OptionKinds } from '../options/index.js';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** Options of `SessionModule`. */
export interface SessionModuleOptions {
  /** Algorithm of refresh tokens. Default: that of `SigningModule`. */
  alg?: JwsAlgorithm;
  /**
   * Our issuer: accepted as `iss` of refresh tokens beside the issuers of `AuthModule`. Default: that of
   * `SigningModule`.
   */
  issuer?: string;
  /** Header `typ` of refresh tokens; access tokens must have another one. Default: that of `SigningModule`. */
  refreshTyp?: string;
  /** True: `POST /token` also sets the tokens as cookies. Default false. */
  cookies?: boolean;
  /** URL by which browsers reach the application. Default: the host of the request. */
  publicUrl?: string;
  /**
   * Other origins of the same site, e.g. `https://app.example`, whose pages may log in, refresh and log out with
   * cookies. Default: none.
   */
  trustedOrigins?: readonly string[];
}

/** The types of the options, checked at boot. Exported for tests. */
export const SESSION_KINDS: OptionKinds<SessionModuleOptions> = {
  alg: kinds.name,
  issuer: kinds.text,
  refreshTyp: kinds.name,
  cookies: kinds.flag,
  publicUrl: kinds.name,
  trustedOrigins: kinds.texts,
};

export const {
  ConfigurableModuleClass: ConfigurableSessionModule,
  MODULE_OPTIONS_TOKEN: SESSION_OPTIONS,
  OPTIONS_TYPE: SESSION_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: SESSION_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<SessionModuleOptions>({ moduleName: 'Session' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions(
      { ...definition, global: isGlobal },
      SESSION_OPTIONS,
      'SessionModule',
      SESSION_KINDS,
    ),
  )
  .build();
