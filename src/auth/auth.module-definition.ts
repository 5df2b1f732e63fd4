import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { PolicyDefaults } from '../core/verify/index.js';
import type { IssuerResolverOptions } from './resolved-issuers.js';

/** Defaults of every `@RequireJwt()`, and what concerns all of them. */
export interface AuthModuleOptions extends PolicyDefaults, IssuerResolverOptions {
  /**
   * Where clients reach the gateway, e.g. `https://gateway.example`, for gateways behind a proxy:
   * state-changing requests by cookie have to come from its origin, and proofs (RFC 9449) have to be made
   * for URLs below it. Default: scheme and host that the client addressed; those that a proxy tells count
   * where Express' `trust proxy` says so.
   */
  publicUrl?: string;
  /**
   * Other origins of the same site, e.g. `https://app.example`, whose pages may send state-changing requests by
   * cookie, too. Default: none.
   */
  trustedOrigins?: readonly string[];
  /**
   * Asymmetric tokens whose valid signature is remembered, at about 150 bytes each; 0: none. Claims,
   * expiry and revocation are checked every time. Default 10000.
   */
  signatureCache?: number;
  /**
   * True: a proof (RFC 9449) has to hold a nonce of the last minutes, which the gateway hands out in the
   * header `DPoP-Nonce`. Then nobody can make proofs ahead of time, and the clocks of clients do not matter.
   * Default false.
   */
  dpopNonce?: boolean;
  /**
   * Header in which a proxy writes the client's certificate, for tokens that are bound to one (`cnf.x5t#S256`,
   * RFC 8705). It counts only from peers that Express' `trust proxy` names, and the proxy has to replace what
   * the client wrote there. Default: none; a certificate counts where Node itself terminates TLS.
   */
  mtlsHeader?: string;
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
