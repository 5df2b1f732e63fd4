import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { JwsAlgorithm } from '../core/jws/index.js';
import type { ClaimHeaders } from '../core/verify/claim-headers.js';

/** One of the listed values is enough, or all of them are needed. */
export type Matcher = 'any' | 'all';

/** What a token has to fulfil; `@RequireJwt` overrides single members per route. */
export interface TokenPolicyOptions {
  /** Accepted algorithms. */
  algorithms: readonly JwsAlgorithm[];
  /** Accepted issuers, compared exactly (RFC 8725 section 3.8). */
  issuer: string | readonly string[];
  /** This recipient's names; the token's `aud` has to hold any or all of them (RFC 8725 section 3.9). */
  audience: string | readonly string[];
  /** Default `any`. */
  audienceMatcher?: Matcher;
  /** Claim with the roles. Default `roles`. */
  rolesKey?: string;
  /** True: dots in `rolesKey` reach nested claims. Default false. */
  rolesKeyIsNested?: boolean;
  /** Default `any`. */
  rolesMatcher?: Matcher;
  /** Claim with the scopes; dots reach nested claims. Default `scope`. */
  scopesKey?: string;
  /** Default `any`. */
  scopesMatcher?: Matcher;
  /** Claims that have to be there, beside `exp`. */
  requiredClaims?: readonly string[];
  /** Accepted `typ` headers, case-insensitive; absent counts as `JWT`. Default `JWT`, `at+jwt`. */
  types?: readonly string[];
  /** Cookie that may carry the token. Default: cookies are never read. */
  cookieKey?: string;
  /** Header that carries the token. Default `Authorization`. */
  authHeaderName?: string;
  /** Seconds of clock difference that are forgiven for `exp`, `nbf` and `iat`. Default 1. */
  leeway?: number;
  /**
   * Claims that become headers of every backend call made with `from: request`, e.g.
   * `{ sub: 'x-user', 'realm.id': 'x-realm' }`: dots reach nested claims, list items are joined by
   * commas, objects become JSON, an absent claim gives no header. What is not printable ASCII is
   * percent-encoded, `%` too, and commas within list items. The client's own headers of these names
   * never reach a backend, on any route. On a route it replaces what the module says.
   */
  propagateClaims?: ClaimHeaders;
}

/** Defaults of every `@RequireJwt()`, and what concerns all of them. */
export interface AuthModuleOptions extends TokenPolicyOptions {
  /** Roles of which a token needs one on routes with `@RequireJwt({ admin: true })`. */
  adminRoles?: readonly string[];
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
