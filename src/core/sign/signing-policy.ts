import { ACCESS_TOKEN_TYPE, HOP_TOKEN_TYPE, normalizeType } from '../claims/index.js';
import { BootError } from '../errors/index.js';
import type { JwsAlgorithm } from '../jws/index.js';
import { AUTO_KID } from '../keys/index.js';
import type { TokenFormat } from './sign-token.js';
import type { StaleExpPolicy, Stamp } from './stamp-claims.js';

/** What a route signs; what is left out comes from the defaults. */
export interface RouteSigningOptions {
  fields?: readonly string[];
  alg?: JwsAlgorithm;
  kid?: string;
  typ?: string;
  ttl?: number;
  full?: boolean;
}

/** Defaults of every route that signs. */
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
  /** Stamped as `iss` where the claims have none. */
  issuer?: string;
  /**
   * Stamped as `aud` where the claims have none; never into the field `id_token`, whose audience is a client
   * (OpenID Connect Core section 2).
   */
  audience?: string;
  /**
   * `aud` of the `refresh_token` field. `issuer`: the issuer, in place of what the claims have, so that no
   * service that checks `aud` takes a refresh token for an access token. `keep`: that of the claims. Default
   * `issuer`.
   */
  refreshAudience?: 'issuer' | 'keep';
  /** Lifetime in seconds where the claims have no `exp`. Default 3600. */
  accessTtl?: number;
  /** The same for the `refresh_token` field. Default 1209600 (14 days). */
  refreshTtl?: number;
  /** Default `reject`. */
  staleExp?: StaleExpPolicy;
  /** Characters of the longest token that is signed. Default 16384. */
  maxTokenLength?: number;
}

/** How one field of a route is signed. */
export interface FieldPolicy {
  format: TokenFormat;
  stamp: Stamp;
  /** The token claims the profile of RFC 9068, so its claims have to be complete. */
  profiled: boolean;
}

/** What `@SignFields` means for one route, with all defaults filled in. */
export interface SigningPolicy {
  fields: readonly string[];
  requireAll: boolean;
  readonly field: (name: string) => FieldPolicy;
}

/** What {@link SigningOptions} are where neither route nor module says. */
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
 * Joins what the route says with what the module says; the field `refresh_token` has its own defaults.
 *
 * @throws BootError for a `typ` that is kept for other tokens
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
  // It tells of a login, and opens nothing: no type of access tokens, none of their audiences, and a claim that says so.
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

/** True for the field of the token that tells a client who logged in, at whatever depth. */
const isIdField = (name: string): boolean => name === 'id_token' || name.endsWith('.id_token');

/** True for the field whose tokens are exchanged for new ones, at whatever depth. */
export const isRefreshField = (name: string): boolean =>
  name === 'refresh_token' || name.endsWith('.refresh_token');
