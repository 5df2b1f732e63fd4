import { ACCESS_TOKEN_TYPE, normalizeType } from '../claims/token-type.js';
import type { TokenFormat } from '../../signing/jwt-signer.service.js';
import type { SignFieldsOptions } from '../../signing/sign-fields.metadata.js';
import type { SigningModuleOptions } from '../../signing/signing.module-definition.js';
import type { Stamp } from './stamp-claims.js';

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

const DEFAULT_FIELDS = ['access_token', 'refresh_token'];
const DEFAULT_ACCESS_TTL = 3600;
const DEFAULT_REFRESH_TTL = 1_209_600;

/** Joins what the route says with what the module says; the field `refresh_token` has its own defaults. */
export function compileSigningPolicy(
  route: SignFieldsOptions,
  module: SigningModuleOptions,
): SigningPolicy {
  const plan = (isRefresh: boolean): FieldPolicy => {
    const typ = route.typ ?? (isRefresh ? (module.refreshTyp ?? 'rt+jwt') : (module.typ ?? 'JWT'));
    return {
      format: {
        alg: route.alg ?? module.alg ?? 'HS256',
        kid: route.kid ?? module.kid ?? 'auto',
        typ,
        full: route.full ?? module.full ?? false,
      },
      stamp: {
        ttl:
          route.ttl ??
          (isRefresh
            ? (module.refreshTtl ?? DEFAULT_REFRESH_TTL)
            : (module.accessTtl ?? DEFAULT_ACCESS_TTL)),
        issuer: module.issuer,
        staleExp: module.staleExp ?? 'reject',
      },
      profiled: !isRefresh && normalizeType(typ) === ACCESS_TOKEN_TYPE,
    };
  };
  const access = plan(false);
  const refresh = plan(true);
  return {
    fields: route.fields ?? module.fields ?? DEFAULT_FIELDS,
    requireAll: module.requireAllFields ?? false,
    field: (name) => (isRefreshField(name) ? refresh : access),
  };
}

/** True for the field whose tokens are exchanged for new ones, at whatever depth. */
export const isRefreshField = (name: string): boolean =>
  name === 'refresh_token' || name.endsWith('.refresh_token');
