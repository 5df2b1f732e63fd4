import { compilePolicy, type TokenPolicy } from '../core/verify/index.js';
import type { AuthModuleOptions } from './auth.module-definition.js';
import { compileClaimsCheck } from './claims-class.js';
import type { RequireJwtOptions } from './require-jwt.metadata.js';

/**
 * What `@RequireJwt` means on one route, with the defaults of the module.
 *
 * @throws BootError when the result could accept nothing, or check nothing
 */
export const compileRoutePolicy = (
  { claims, ...route }: RequireJwtOptions,
  defaults: AuthModuleOptions,
): TokenPolicy =>
  compilePolicy(route, defaults, claims === undefined ? undefined : compileClaimsCheck(claims));
