import { ACCESS_TOKEN_TYPE, HOP_TOKEN_TYPE, normalizeType } from '../claims/index.js';
import { BootError } from '../errors/index.js';
import type { JwsAlgorithm } from '../jws/index.js';
import { AUTO_KID } from '../keys/index.js';
import type { TokenFormat } from './sign-token.js';
import type { StaleExpPolicy, Stamp } from './stamp-claims.js';

/** How a route signs. Options that are left out have the defaults of the module. */
export interface RouteSigningOptions {
  fields?: readonly string[];
  alg?: JwsAlgorithm;
  kid?: string;
  typ?: string;
  ttl?: number;
  full?: boolean;
}

/** Defaults for all routes that sign. */
export interface SigningOptions {
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
  /** Stamped as `iss` if the claims have none. */
  issuer?: string;
  /**
   * Stamped as `aud` if the claims have none. Never stamped into the field `id_token`, whose audience is a client
   * (OpenID Connect Core section 2).
   */
  audience?: string;
  /**
   * `aud` of the `refresh_token` field. `issuer`: the issuer replaces the `aud` of the claims, so that no service
   * that checks `aud` accepts a refresh token as an access token. `keep`: the `aud` of the claims. Default `issuer`.
   */
  refreshAudience?: 'issuer' | 'keep';
  /** Lifetime in seconds if the claims have no `exp`. Default 3600. */
  accessTtl?: number;
  /** Lifetime of the `refresh_token` field in seconds if its claims have no `exp`. Default 1209600 (14 days). */
  refreshTtl?: number;
  /** What happens with a past `exp`. Default `reject`. */
  staleExp?: StaleExpPolicy;
  /** Length of the longest token that is signed, in characters. Default 16384. */
  maxTokenLength?: number;
}

/** How one field of a route is signed. */
export interface FieldPolicy {
  format: TokenFormat;
  stamp: Stamp;
  /** True for an access token with the `typ` of RFC 9068, which requires certain claims. */
  profiled: boolean;
}

/** The signing rules of one route with all defaults filled in. */
export interface SigningPolicy {
  fields: readonly string[];
  requireAll: boolean;
  readonly field: (name: string) => FieldPolicy;
}

/** Values of {@link SigningOptions} that neither the route nor the module sets. */
export const STANDARD_SIGNING = {
  alg: 'HS256',
  kid: AUTO_KID,
  fields: ['access_token', 'refresh_token'],
  typ: 'JWT',
  refreshTyp: 'rt+jwt',
  refreshAudience: 'issuer',
  accessTtl: 3600,
  refreshTtl: 1_209_600,
  staleExp: 'reject',
} as const satisfies SigningOptions;

/**
 * Merges the options of a route with those of the module. The field `refresh_token` has its own defaults.
 *
 * @throws BootError for the `typ` that is reserved for the tokens of backend calls
 */
export function compileSigningPolicy(
  route: RouteSigningOptions,
  module: SigningOptions,
): SigningPolicy {
  const ofField = (isRefresh: boolean): FieldPolicy => {
    const typ =
      route.typ ??
      (isRefresh
        ? (module.refreshTyp ?? STANDARD_SIGNING.refreshTyp)
        : (module.typ ?? STANDARD_SIGNING.typ));
    if (normalizeType(typ) === HOP_TOKEN_TYPE)
      throw new BootError(
        `'typ' is ${HOP_TOKEN_TYPE}, which is kept for the tokens that backend calls carry`,
      );
    return {
      format: {
        alg: route.alg ?? module.alg ?? STANDARD_SIGNING.alg,
        kid: route.kid ?? module.kid ?? STANDARD_SIGNING.kid,
        typ,
        full: route.full ?? module.full ?? false,
        maxLength: module.maxTokenLength,
      },
      stamp: {
        ttl:
          route.ttl ??
          (isRefresh
            ? (module.refreshTtl ?? STANDARD_SIGNING.refreshTtl)
            : (module.accessTtl ?? STANDARD_SIGNING.accessTtl)),
        issuer: module.issuer,
        audience: module.audience,
        audienceIsIssuer:
          isRefresh && (module.refreshAudience ?? STANDARD_SIGNING.refreshAudience) === 'issuer',
        staleExp: module.staleExp ?? STANDARD_SIGNING.staleExp,
      },
      profiled: !isRefresh && normalizeType(typ) === ACCESS_TOKEN_TYPE,
    };
  };
  const access = ofField(false);
  const refresh = ofField(true);
  // An ID token reports a login and gives no access: not the type at+jwt, no `aud` of access tokens, `token_use: id`.
  const id: FieldPolicy = {
    format: access.profiled ? { ...access.format, typ: STANDARD_SIGNING.typ } : access.format,
    stamp: { ...access.stamp, audience: undefined, tokenUse: 'id' },
    profiled: false,
  };
  return {
    fields: route.fields ?? module.fields ?? STANDARD_SIGNING.fields,
    requireAll: module.requireAllFields ?? false,
    field: (name) => (isRefreshField(name) ? refresh : isIdField(name) ? id : access),
  };
}

/** True for the field of the ID token, which tells a client who logged in, at any depth. */
const isIdField = (name: string): boolean => name === 'id_token' || name.endsWith('.id_token');

/** True for the field of the refresh token, at any depth. */
export const isRefreshField = (name: string): boolean =>
  name === 'refresh_token' || name.endsWith('.refresh_token');
