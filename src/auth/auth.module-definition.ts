import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import {
  kinds,
  POLICY_KINDS,
  ROUTE_KINDS,
  withCheckedOptions,
  type OptionKinds,
} from '../options/index.js';
import type { PolicyDefaults } from '../core/verify/index.js';
import type { ClaimsValidator, RequireJwtOptions } from './require-jwt.metadata.js';
import type { IssuerResolverOptions } from './resolved-issuers.js';

/** Options of `AuthModule`: the defaults of all `@RequireJwt()`, and options for all routes. */
export interface AuthModuleOptions extends PolicyDefaults, IssuerResolverOptions {
  /**
   * URL by which clients reach the application, e.g. `https://gateway.example`. State-changing requests with a cookie
   * have to come from its origin, and `htu` of DPoP proofs (RFC 9449) has to be below it. Default: scheme and host of
   * the request; `X-Forwarded-*` counts where `trust proxy` of Express says so.
   */
  publicUrl?: string;
  /**
   * Other origins of the same site, e.g. `https://app.example`, whose pages may send state-changing requests with a
   * cookie. Default: none.
   */
  trustedOrigins?: readonly string[];
  /**
   * Number of asymmetric tokens whose valid signature is cached, about 150 bytes each; 0: no cache. Claims, expiry and
   * revocation are checked for every request. Default 10000.
   */
  signatureCache?: number;
  /**
   * True: a DPoP proof needs a nonce of the last minutes, which answers contain in the header `DPoP-Nonce` (RFC 9449
   * section 9). Then proofs cannot be made ahead of time, and the clocks of clients do not matter. Default false.
   */
  dpopNonce?: boolean;
  /**
   * Header in which a proxy sends the client certificate, for tokens that are bound to one (`cnf.x5t#S256`, RFC 8705).
   * It is read only from peers that `trust proxy` of Express names. The proxy has to replace the header of a client.
   * Default: none; the certificate is that of the TLS connection.
   */
  mtlsHeader?: string;
  /**
   * Checks the claims of every accepted token, and gives the value of `request.user`. `@RequireJwt` can replace it.
   * Default: none, and `request.user` is the claims.
   */
  validate?: ClaimsValidator;
  /** The member of the request for the claims, or for the result of `validate`. Default `user`. */
  userProperty?: string;
  /** True: each refused request is logged, with route, code and reason. Default true. */
  logRefusals?: boolean;
}

/** The types of the options, checked at boot. Exported for tests. */
export const AUTH_KINDS: OptionKinds<AuthModuleOptions> = {
  ...POLICY_KINDS,
  issuerResolver: kinds.method,
  issuerResolverTtl: kinds.number('seconds'),
  issuerResolverLimit: kinds.whole('issuers', 1),
  publicUrl: kinds.name,
  trustedOrigins: kinds.texts,
  signatureCache: kinds.whole('tokens'),
  dpopNonce: kinds.flag,
  mtlsHeader: kinds.name,
  validate: kinds.method,
  userProperty: kinds.name,
  logRefusals: kinds.flag,
};

/** The types of the options of `@RequireJwt`, checked at boot. */
export const REQUIRE_JWT_KINDS: OptionKinds<RequireJwtOptions> = {
  ...POLICY_KINDS,
  ...ROUTE_KINDS,
  optional: kinds.oneOf(true, false, 'lenient'),
  claims: kinds.methodOrObject,
  validate: kinds.method,
};

export const {
  ConfigurableModuleClass: ConfigurableAuthModule,
  MODULE_OPTIONS_TOKEN: AUTH_OPTIONS,
  OPTIONS_TYPE: AUTH_OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE: AUTH_ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<AuthModuleOptions>({ moduleName: 'Auth' })
  .setClassMethodName('forRoot')
  // AuthModule turns protectAll into a global guard. With forRootAsync it is given beside the factory.
  .setExtras({ isGlobal: true, protectAll: false }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions({ ...definition, global: isGlobal }, AUTH_OPTIONS, 'AuthModule', AUTH_KINDS),
  )
  .build();
