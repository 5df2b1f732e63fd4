import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { JwsAlgorithm } from '../core/jws/index.js';

/** What a claim set whose `exp` is past leads to: 502, a new `exp`, or a token that is born expired. */
export type StaleExpPolicy = 'reject' | 'renew' | 'keep';

/** Defaults of every `@SignFields()`. */
export interface SigningModuleOptions {
  /** Algorithm. Default `HS256`. */
  alg?: JwsAlgorithm;
  /** Key id of the signing key. Default `auto`: the one active key for `alg`. */
  kid?: string;
  /** Fields signed by a bare `@SignFields()`. Default `access_token`, `refresh_token`. */
  fields?: readonly string[];
  /** True: each field must be in the answer. False (default): at least one. */
  requireAllFields?: boolean;
  /** `typ` header of all tokens but refresh tokens. Default `JWT`. */
  typ?: string;
  /** `typ` header of the `refresh_token` field. Default `rt+jwt`. */
  refreshTyp?: string;
  /** Flattened JWS JSON (RFC 7515 section 7.2.2), as a string, instead of the compact form. */
  full?: boolean;
  /** Stamped as `iss` where the claims have none. */
  issuer?: string;
  /** Lifetime in seconds where the claims have no `exp`. Default 3600. */
  accessTtl?: number;
  /** The same for the `refresh_token` field. Default 1209600 (14 days). */
  refreshTtl?: number;
  /** Default `reject`. */
  staleExp?: StaleExpPolicy;
}

export const {
  ConfigurableModuleClass: ConfigurableSigningModule,
  MODULE_OPTIONS_TOKEN: SIGNING_OPTIONS,
  OPTIONS_TYPE: SIGNING_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: SIGNING_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<SigningModuleOptions>({ moduleName: 'Signing' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
