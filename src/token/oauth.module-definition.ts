import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** How refresh tokens are taken back. */
export interface RefreshOptions {
  /** Path below the backend's host; gets `{ sub, sid, claims }` and answers like the token path. */
  path: string;
  /** Seconds in which a repeated request gets the answer of the first one; 0: none. At most 10. */
  retryWindow: number;
  /** Seconds from login (`auth_time`) after which a session cannot be refreshed any more. */
  absoluteTtl: number;
}

/** What the gateway knows of the tokens that it signs. */
export interface OAuthModuleOptions {
  /** Algorithm of the gateway's own tokens. */
  alg: JwsAlgorithm;
  /** Stamped as `iss`; accepted in refresh tokens beside the issuers of `AuthModule`. */
  issuer: string;
  /** `typ` of refresh tokens; no access token may have it. */
  refreshTyp: string;
  /** Left out: refresh is off. */
  refresh?: RefreshOptions;
  /** `POST /token` also sets the tokens as cookies. Default false. */
  cookies?: boolean;
  /** Where browsers reach the gateway. Default: the host that they address. */
  publicUrl?: string;
}

export const {
  ConfigurableModuleClass: ConfigurableOAuthModule,
  MODULE_OPTIONS_TOKEN: OAUTH_OPTIONS,
  OPTIONS_TYPE: OAUTH_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: OAUTH_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<OAuthModuleOptions>({ moduleName: 'OAuth' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
