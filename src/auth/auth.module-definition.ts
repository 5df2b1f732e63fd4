import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { PolicyDefaults } from '../core/verify/index.js';

/** Defaults of every `@RequireJwt()`, and what concerns all of them. */
export interface AuthModuleOptions extends PolicyDefaults {
  /**
   * Where browsers reach the gateway, e.g. `https://gateway.example`, for gateways behind a proxy:
   * state-changing requests by cookie have to come from its origin. Default: the host the client
   * addressed.
   */
  publicUrl?: string;
  /**
   * Asymmetric tokens whose valid signature is remembered, at about 150 bytes each; 0: none. Claims,
   * expiry and revocation are checked every time. Default 10000.
   */
  signatureCache?: number;
}

export const {
  ConfigurableModuleClass: ConfigurableAuthModule,
  MODULE_OPTIONS_TOKEN: AUTH_OPTIONS,
  OPTIONS_TYPE: AUTH_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: AUTH_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<AuthModuleOptions>({ moduleName: 'Auth' })
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();
