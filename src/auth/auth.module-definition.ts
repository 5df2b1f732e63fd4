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
  /**
   * Looks at the claims of every accepted token, and says what `request.user` is; a route may have one of its
   * own. Default: none, and `request.user` is the claims.
   */
  validate?: ClaimsValidator;
  /** The member of the request that holds the claims, or what `validate` returns. Default `user`. */
  userProperty?: string;
  /** A line in Nest's log about every request that is refused, with route, code and reason. Default true. */
  logRefusals?: boolean;
}

/** For tests. */
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

/** Of one route. */
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
  // AuthModule makes a guard of protectAll; with forRootAsync it stands beside the factory.
  .setExtras({ isGlobal: true, protectAll: false }, (definition, { isGlobal }): DynamicModule =>
    withCheckedOptions({ ...definition, global: isGlobal }, AUTH_OPTIONS, 'AuthModule', AUTH_KINDS),
  )
  .build();
